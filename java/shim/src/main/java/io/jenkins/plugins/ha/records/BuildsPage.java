package io.jenkins.plugins.ha.records;

import hudson.Extension;
import hudson.Util;
import hudson.model.Api;
import hudson.model.AutoCompletionCandidates;
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
import org.kohsuke.stapler.QueryParameter;
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
                    "within",
                    "limit");

    /** What the page asks for without being opened further, and what is no question at all. */
    private static final List<String> FIRST = List.of("job", "result", "within", "limit");

    /** Where the pages before this one began, so that one can go back to them. */
    private static final String BEFORE = "before";

    @Override
    public String getIconFileName() {
        return BuildRecords.active().isPresent() ? "symbol-build-history" : null;
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

    /** What a result may be, with the one that is asked for. */
    public List<Choice> getResults() {
        return Choice.results(text(Stapler.getCurrentRequest2(), "result"));
    }

    /** How long ago a build may have started, with what is asked for. */
    public List<Choice> getTimes() {
        return Choice.times(text(Stapler.getCurrentRequest2(), "within"));
    }

    /** Whether anything is asked for at all. */
    public boolean isAsked() {
        return QUESTIONS.stream().anyMatch(BuildsPage::given);
    }

    /** Whether anything is asked for that is not among the first fields of the page. */
    public boolean isDetailed() {
        return QUESTIONS.stream().filter(name -> !FIRST.contains(name)).anyMatch(BuildsPage::given);
    }

    private static boolean given(String name) {
        return !text(Stapler.getCurrentRequest2(), name).isEmpty();
    }

    /** Names of jobs that the caller may read, for whoever types one. */
    public AutoCompletionCandidates doAutoCompleteJob(@QueryParameter String value) {
        Jenkins.get().checkPermission(Jenkins.READ);
        return AutoCompletionCandidates.ofJobNames(
                Job.class, value == null ? "" : value, Jenkins.get());
    }

    /** The present question once more, for what comes after {@code next}. */
    public String again(String next) {
        StaplerRequest2 request = Stapler.getCurrentRequest2();
        String after = text(request, "after");
        String before = text(request, BEFORE);
        return query(next, before.isEmpty() || after.isEmpty() ? after : before + "," + after);
    }

    /** The same, for the page before this one; null on the first. */
    public String getNewer() {
        StaplerRequest2 request = Stapler.getCurrentRequest2();
        if (text(request, "after").isEmpty()) {
            return null;
        }
        String before = text(request, BEFORE);
        int last = before.lastIndexOf(',');
        return query(before.substring(last + 1), last < 0 ? "" : before.substring(0, last));
    }

    private static String query(String after, String before) {
        StringBuilder query = new StringBuilder("after=").append(Util.rawEncode(after));
        if (!before.isEmpty()) {
            query.append('&').append(BEFORE).append('=').append(Util.rawEncode(before));
        }
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
        long within = number(request, "within", 0);
        long from = within > 0 ? System.currentTimeMillis() - within * 1000 : 0;
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
                Math.max(from, number(request, "from", 0)),
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
