package io.jenkins.plugins.ha.records;

import hudson.Extension;
import hudson.Util;
import hudson.model.Api;
import hudson.model.Job;
import hudson.model.RootAction;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.bridge.BuildQuery;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.bridge.Records;
import jakarta.servlet.http.HttpServletResponse;
import java.util.ArrayList;
import java.util.List;
import jenkins.model.Jenkins;
import org.kohsuke.stapler.HttpResponses;
import org.kohsuke.stapler.Stapler;
import org.kohsuke.stapler.StaplerRequest2;

/**
 * {@code /ha-builds/}: the builds of all jobs the caller may read, by what is known of them. {@code
 * /ha-builds/api/json} answers the same questions as any of Jenkins' own APIs does.
 */
@Extension
public final class BuildsPage implements RootAction {
    private static final int ON_A_PAGE = 50;
    private static final int MOST = 1000;
    private static final List<String> QUESTIONS =
            List.of(
                    "job",
                    "result",
                    "user",
                    "cause",
                    "parameter",
                    "value",
                    "controller",
                    "agent",
                    "commit",
                    "from",
                    "to",
                    "limit");

    @Override
    public String getIconFileName() {
        return BuildRecords.active().isPresent() ? "symbol-search" : null;
    }

    @Override
    public String getDisplayName() {
        return "Builds";
    }

    @Override
    public String getUrlName() {
        return "ha-builds";
    }

    /**
     * What the present request asks for, found; with a sentence in {@link FoundBuilds#getProblem}
     * where it could not be.
     */
    public FoundBuilds getFound() {
        try {
            return find();
        } catch (HaException e) {
            return FoundBuilds.none(e.getMessage());
        }
    }

    /** What is being done to take builds over into the records; "" when nothing is. */
    public String getProgress() {
        return Membership.active().map(Membership::reconciling).orElse("");
    }

    /** The API; documented in docs/records.md. */
    public Api getApi() {
        // the layout of every page asks, too, whether there is one to link to
        if (!Stapler.getCurrentRequest2().getRequestURI().contains("/ha-builds/api")) {
            return new Api(this);
        }
        FoundBuilds found;
        try {
            found = find();
        } catch (HaException.Invalid e) {
            throw HttpResponses.errorWithoutStack(
                    HttpServletResponse.SC_BAD_REQUEST, e.getMessage());
        } catch (HaException e) {
            throw HttpResponses.errorWithoutStack(
                    HttpServletResponse.SC_SERVICE_UNAVAILABLE, e.getMessage());
        }
        if (!found.getProblem().isEmpty()) {
            throw HttpResponses.errorWithoutStack(
                    HttpServletResponse.SC_SERVICE_UNAVAILABLE, found.getProblem());
        }
        return new Api(found);
    }

    /** The present question once more, for what comes after {@code next}. */
    public String again(String next) {
        StringBuilder query = new StringBuilder("after=").append(Util.rawEncode(next));
        StaplerRequest2 request = Stapler.getCurrentRequest2();
        for (String name : QUESTIONS) {
            if (!text(request, name).isEmpty()) {
                query.append('&')
                        .append(name)
                        .append('=')
                        .append(Util.rawEncode(text(request, name)));
            }
        }
        return query.toString();
    }

    private static FoundBuilds find() {
        Jenkins.get().checkPermission(Jenkins.READ);
        Records records = BuildRecords.active().orElse(null);
        if (records == null) {
            return FoundBuilds.none(
                    Membership.active()
                            .map(membership -> membership.records().problem())
                            .orElse("This Jenkins is in no cluster."));
        }
        return FoundBuilds.of(records.query(asked(Stapler.getCurrentRequest2())));
    }

    private static BuildQuery asked(StaplerRequest2 request) {
        return new BuildQuery(
                readable(text(request, "job")),
                text(request, "result"),
                text(request, "user"),
                text(request, "cause"),
                text(request, "parameter"),
                text(request, "value"),
                text(request, "controller"),
                text(request, "agent"),
                text(request, "commit"),
                number(request, "from", 0),
                number(request, "to", 0),
                text(request, "after"),
                (int) Math.max(1, Math.min(MOST, number(request, "limit", ON_A_PAGE))));
    }

    /**
     * The jobs whose builds the caller may see; null when that is all of them and none was named.
     */
    private static List<String> readable(String named) {
        if (!named.isEmpty()) {
            Job<?, ?> job;
            try {
                job = Jenkins.get().getItemByFullName(named, Job.class);
            } catch (RuntimeException e) { // may know of it, may not read it
                job = null;
            }
            return job == null ? List.of() : List.of(job.getFullName());
        }
        if (Jenkins.get().hasPermission(Jenkins.ADMINISTER)) {
            return null;
        }
        List<String> names = new ArrayList<>();
        Jenkins.get().allItems(Job.class).forEach(job -> names.add(job.getFullName()));
        return names;
    }

    private static String text(StaplerRequest2 request, String name) {
        String value = request.getParameter(name);
        return value == null ? "" : value.trim();
    }

    private static long number(StaplerRequest2 request, String name, long usual) {
        String value = text(request, name);
        try {
            return value.isEmpty() ? usual : Long.parseLong(value);
        } catch (NumberFormatException e) {
            throw HttpResponses.errorWithoutStack(
                    HttpServletResponse.SC_BAD_REQUEST, name + " must be a number");
        }
    }
}
