package io.jenkins.plugins.ha.history;

import hudson.Extension;
import hudson.model.Api;
import hudson.model.ItemGroup;
import hudson.model.ManagementLink;
import hudson.security.Permission;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.bridge.ConfigForm;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.bridge.Records;
import io.jenkins.plugins.ha.records.BuildRecords;
import jakarta.servlet.http.HttpServletResponse;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.NoSuchElementException;
import jenkins.model.Jenkins;
import jenkins.model.ModifiableTopLevelItemGroup;
import org.kohsuke.stapler.HttpResponse;
import org.kohsuke.stapler.HttpResponses;
import org.kohsuke.stapler.QueryParameter;
import org.kohsuke.stapler.Stapler;
import org.kohsuke.stapler.StaplerProxy;
import org.kohsuke.stapler.export.Exported;
import org.kohsuke.stapler.export.ExportedBean;
import org.kohsuke.stapler.verb.POST;

/**
 * <i>Manage Jenkins &gt; Configuration history</i>, for administrators: the forms that settings
 * had, and the jobs and folders that were deleted. {@code setting?path=} lists the forms of a
 * setting, {@code form?id=} is the text of one, {@code difference?from=&to=} compares two, {@code
 * POST restore?id=} puts a setting back, or makes a job anew as it was last.
 */
@Extension
public final class HistoryOverview extends ManagementLink implements StaplerProxy {
    private static final int MOST_DELETED = 1000;

    @Override
    public String getIconFileName() {
        return BuildRecords.active().isPresent() ? "symbol-document-text" : null;
    }

    @Override
    public String getDisplayName() {
        return "Configuration history";
    }

    @Override
    public String getDescription() {
        return "The forms that settings had, and jobs and folders that were deleted.";
    }

    @Override
    public String getUrlName() {
        return "ha-history";
    }

    @Override
    public Permission getRequiredPermission() {
        return Jenkins.ADMINISTER;
    }

    @Override
    public Category getCategory() {
        return Category.STATUS;
    }

    /** Whoever is asked for anything of this has looked at the permission. */
    @Override
    public Object getTarget() {
        Jenkins.get().checkPermission(Jenkins.ADMINISTER);
        return this;
    }

    /** All that is known, or why nothing is. */
    public Overview getOverview() {
        try {
            Records records = records();
            List<String> settings =
                    records.newestForms().keySet().stream()
                            .filter(subject -> subject.startsWith("/"))
                            .map(subject -> subject.substring(1))
                            .sorted()
                            .toList();
            return new Overview(settings, FormList.of(records.deletedForms(MOST_DELETED)), "");
        } catch (HaException e) {
            return new Overview(List.of(), FormList.none(""), e.getMessage());
        }
    }

    /** The forms of the setting that the present request names. */
    public FormList getForms() {
        try {
            return FormList.of(records().forms("/" + getPath(), HistoryPage.MOST));
        } catch (HaException e) {
            return FormList.none(e.getMessage());
        }
    }

    /** The setting that the present request names. */
    public String getPath() {
        String path = Stapler.getCurrentRequest2().getParameter("path");
        return path == null ? "" : path;
    }

    /** The API; documented in docs/records.md. */
    public Api getApi() {
        // the layout of every page asks, too, whether there is one to link to
        if (!Stapler.getCurrentRequest2().getRequestURI().contains("/ha-history/api")) {
            return new Api(this);
        }
        if (!getPath().isEmpty()) {
            FormList forms = getForms();
            if (!forms.getProblem().isEmpty()) {
                throw unavailable(forms.getProblem());
            }
            return new Api(forms);
        }
        Overview overview = getOverview();
        if (!overview.getProblem().isEmpty()) {
            throw unavailable(overview.getProblem());
        }
        return new Api(overview);
    }

    /** The text of one form. */
    public HttpResponse doForm(@QueryParameter String id) {
        return HttpResponses.text(text(find(id)));
    }

    /** What is different between the two forms that the present request names. */
    public Difference getDifference() {
        ConfigForm to = find(Stapler.getCurrentRequest2().getParameter("to"));
        ConfigForm from = find(Stapler.getCurrentRequest2().getParameter("from"));
        return Difference.of(from, text(from), to, text(to));
    }

    /** Puts a setting back, or makes anew what was deleted. */
    @POST
    public HttpResponse doRestore(@QueryParameter String id) throws IOException {
        Jenkins.get().checkPermission(Jenkins.ADMINISTER);
        ConfigForm form = find(id);
        if (!FormHistory.isSealed(form)) {
            throw HttpResponses.errorWithoutStack(
                    HttpServletResponse.SC_CONFLICT,
                    "This form was changed in the database, or told by a controller with other"
                            + " secrets: it is not restored. Whoever trusts it can post its XML.");
        }
        String note = "restored form " + form.id() + " of " + FormList.utc(form.madeMillis());
        if (form.subject().startsWith("/")) {
            String path = form.subject().substring(1);
            Membership.active()
                    .orElseThrow(() -> unavailable("This Jenkins is in no cluster."))
                    .carrying()
                    .restore(path, text(form), note);
            return HttpResponses.redirectTo("setting?path=" + hudson.Util.rawEncode(path));
        }
        if (form.kind() != ConfigForm.Kind.DELETED) {
            throw HttpResponses.errorWithoutStack(
                    HttpServletResponse.SC_BAD_REQUEST,
                    form.subject() + " is restored on its own page: it was not deleted");
        }
        FormHistory.noting(note, () -> make(form));
        return HttpResponses.redirectTo(".");
    }

    private static void make(ConfigForm form) throws IOException {
        String name = form.subject();
        int slash = name.lastIndexOf('/');
        ItemGroup<?> parent = Jenkins.get();
        if (slash >= 0) {
            parent =
                    Jenkins.get().getItemByFullName(name.substring(0, slash))
                                    instanceof ItemGroup<?> group
                            ? group
                            : null;
        }
        if (!(parent instanceof ModifiableTopLevelItemGroup folder)) {
            throw HttpResponses.errorWithoutStack(
                    HttpServletResponse.SC_CONFLICT,
                    "There is no folder for " + name + ": restore or make that first");
        }
        folder.createProjectFromXML(
                name.substring(slash + 1), new ByteArrayInputStream(form.text()));
    }

    private static String text(ConfigForm form) {
        return new String(form.text(), StandardCharsets.UTF_8);
    }

    private static ConfigForm find(String id) {
        try {
            return records()
                    .form(Long.parseLong(id == null ? "" : id))
                    .filter(form -> form.text() != null)
                    .orElseThrow();
        } catch (NumberFormatException | NoSuchElementException e) {
            throw HttpResponses.errorWithoutStack(
                    HttpServletResponse.SC_NOT_FOUND,
                    "There is no such form; it may have been forgotten since");
        } catch (HaException e) {
            throw unavailable(e.getMessage());
        }
    }

    private static Records records() {
        return BuildRecords.active()
                .orElseThrow(() -> unavailable("This Jenkins has no database just now."));
    }

    private static HttpResponses.HttpResponseException unavailable(String why) {
        return HttpResponses.errorWithoutStack(HttpServletResponse.SC_SERVICE_UNAVAILABLE, why);
    }

    /** What there is, as shown and as answered by the API. */
    @ExportedBean
    public static final class Overview {
        private final List<String> settings;
        private final FormList deleted;
        private final String problem;

        Overview(List<String> settings, FormList deleted, String problem) {
            this.settings = settings;
            this.deleted = deleted;
            this.problem = problem;
        }

        /** Paths of the settings that have a history. */
        @Exported
        public List<String> getSettings() {
            return settings;
        }

        /** What was deleted, newest first. */
        @Exported(inline = true)
        public List<FormList.Entry> getDeleted() {
            return deleted.getForms();
        }

        /** Why nothing is known, or "". */
        public String getProblem() {
            return problem;
        }
    }
}
