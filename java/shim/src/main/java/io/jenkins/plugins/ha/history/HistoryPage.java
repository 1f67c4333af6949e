package io.jenkins.plugins.ha.history;

import hudson.model.AbstractItem;
import hudson.model.Action;
import hudson.model.Api;
import hudson.model.Item;
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
import javax.xml.transform.Source;
import javax.xml.transform.stream.StreamSource;
import jenkins.security.ExtendedReadRedaction;
import org.kohsuke.stapler.HttpResponse;
import org.kohsuke.stapler.HttpResponses;
import org.kohsuke.stapler.QueryParameter;
import org.kohsuke.stapler.Stapler;
import org.kohsuke.stapler.StaplerProxy;
import org.kohsuke.stapler.verb.POST;

/**
 * {@code …/job/x/ha-history/}: the forms that the configuration of an item had, for those who may
 * read its config.xml; {@code api/json} says the same, {@code form?id=} is the XML of one, {@code
 * difference?from=&to=} compares two, {@code POST restore?id=} puts one in force again, for those
 * who may configure the item. Who may only read sees no secret, not even encrypted, as in core's
 * config.xml.
 */
public final class HistoryPage implements Action, StaplerProxy {
    /** More are never kept. */
    static final int MOST = 10_000;

    private final AbstractItem item;

    HistoryPage(AbstractItem item) {
        this.item = item;
    }

    @Override
    public String getIconFileName() {
        return item.hasPermission(Item.EXTENDED_READ) ? "symbol-document-text" : null;
    }

    @Override
    public String getDisplayName() {
        return "Configuration history";
    }

    @Override
    public String getUrlName() {
        return "ha-history";
    }

    /** Whoever is asked for anything of this has looked at the permission. */
    @Override
    public Object getTarget() {
        item.checkPermission(Item.EXTENDED_READ);
        return this;
    }

    /** For the side panel. */
    public AbstractItem getItem() {
        return item;
    }

    public boolean isMayRestore() {
        return item.hasPermission(Item.CONFIGURE);
    }

    /** All that is known, or why nothing is. */
    public FormList getForms() {
        try {
            return FormList.of(records().forms(item.getFullName(), MOST));
        } catch (HaException e) {
            return FormList.none(e.getMessage());
        }
    }

    /** The API; documented in docs/records.md. */
    public Api getApi() {
        // the layout of every page asks, too, whether there is one to link to
        if (!Stapler.getCurrentRequest2().getRequestURI().contains("/ha-history/api")) {
            return new Api(this);
        }
        FormList forms = getForms();
        if (!forms.getProblem().isEmpty()) {
            throw unavailable(forms.getProblem());
        }
        return new Api(forms);
    }

    /** The XML of one form. */
    public HttpResponse doForm(@QueryParameter String id) {
        return HttpResponses.text(shown(find(id)));
    }

    /** What is different between the two forms that the present request names. */
    public Difference getDifference() {
        ConfigForm to = find(Stapler.getCurrentRequest2().getParameter("to"));
        ConfigForm from = find(Stapler.getCurrentRequest2().getParameter("from"));
        return Difference.of(from, shown(from), to, shown(to));
    }

    /** Puts a form in force, as if it had been posted to {@code config.xml}. */
    @POST
    public HttpResponse doRestore(@QueryParameter String id) throws IOException {
        item.checkPermission(Item.CONFIGURE);
        ConfigForm form = find(id);
        if (!FormHistory.isSealed(form)) {
            throw HttpResponses.errorWithoutStack(
                    HttpServletResponse.SC_CONFLICT,
                    "This form was changed in the database, or told by a controller with other"
                            + " secrets: it is not restored. Whoever trusts it can post its XML.");
        }
        Source source = new StreamSource(new ByteArrayInputStream(form.text()));
        FormHistory.noting(
                "restored form " + form.id() + " of " + FormList.utc(form.madeMillis()),
                () -> item.updateByXml(source));
        return HttpResponses.redirectTo(".");
    }

    /** Without what the present user may not see. */
    private String shown(ConfigForm form) {
        String xml = new String(form.text(), StandardCharsets.UTF_8);
        if (!item.hasPermission(Item.CONFIGURE)) {
            for (ExtendedReadRedaction redaction : ExtendedReadRedaction.all()) {
                xml = redaction.apply(xml);
            }
        }
        return xml;
    }

    /** A form of this item, with bytes: those of one that had its name before are not its own. */
    private ConfigForm find(String id) {
        try {
            Records records = records();
            long number = Long.parseLong(id == null ? "" : id);
            List<ConfigForm> own = records.forms(item.getFullName(), MOST);
            return own.stream()
                    .filter(form -> form.id() == number)
                    .findFirst()
                    .flatMap(form -> records.form(number))
                    .filter(form -> form.text() != null)
                    .orElseThrow();
        } catch (NumberFormatException | NoSuchElementException e) {
            throw HttpResponses.errorWithoutStack(
                    HttpServletResponse.SC_NOT_FOUND,
                    "The history of "
                            + item.getFullName()
                            + " has no such form; it may have been forgotten since");
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
}
