package io.jenkins.plugins.ha.commands;

import hudson.Extension;
import hudson.model.Api;
import hudson.model.ManagementLink;
import hudson.security.Permission;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.deliveries.InboxPage;
import io.jenkins.plugins.ha.doctor.DoctorPage;
import io.jenkins.plugins.ha.trace.TracePage;
import io.jenkins.plugins.ha.watch.MetricsPage;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import jenkins.model.Jenkins;
import org.kohsuke.stapler.QueryParameter;
import org.kohsuke.stapler.Stapler;
import org.kohsuke.stapler.StaplerResponse2;
import org.kohsuke.stapler.interceptor.RequirePOST;

/**
 * <i>Manage Jenkins &gt; HA cluster</i>: the controllers and how they stand, for those who may read
 * the system's settings; {@code /ha/api/json} says the same. {@code POST /ha/drain} and {@code
 * /ha/undrain}, of this controller or of {@code ?controller=}, a name or id, and {@code
 * /ha/forget}, of one that is gone, need the permission to quiet Jenkins down, and a crumb, as that
 * does.
 */
@Extension
public final class ClusterPage extends ManagementLink {
    @Override
    public String getIconFileName() {
        return Membership.active().isPresent() ? "symbol-server" : null;
    }

    @Override
    public String getDisplayName() {
        return "HA cluster";
    }

    @Override
    public String getDescription() {
        return "The controllers of the cluster, what they run, and how to take one out of service.";
    }

    @Override
    public String getUrlName() {
        return "ha";
    }

    @Override
    public Permission getRequiredPermission() {
        return Jenkins.SYSTEM_READ;
    }

    @Override
    public Category getCategory() {
        return Category.STATUS;
    }

    /** For the page and the API; asks all controllers. */
    public ClusterOverview getOverview() {
        checkRead();
        return ClusterOverview.of(Membership.active().orElse(null));
    }

    public Api getApi() {
        // the layout of every page asks, too, whether there is one to link to
        boolean asked = Stapler.getCurrentRequest2().getRequestURI().contains("/ha/api");
        return new Api(asked ? getOverview() : this);
    }

    /** {@code /ha/metrics/}. */
    public MetricsPage getMetrics() {
        return new MetricsPage();
    }

    /** {@code /ha/doctor/}. */
    public DoctorPage getDoctor() {
        return new DoctorPage();
    }

    /** {@code /ha/inbox/}. */
    public InboxPage getInbox() {
        return new InboxPage();
    }

    /** {@code /ha/item/N/}; null where nothing is known of it. */
    public TracePage getItem(String id) {
        return TracePage.of(id);
    }

    /** Whether the present user may drain. */
    public boolean isMayDrain() {
        return Jenkins.get().hasPermission(Jenkins.MANAGE);
    }

    @RequirePOST
    public void doDrain(
            @QueryParameter String controller,
            @QueryParameter boolean page,
            StaplerResponse2 response)
            throws IOException {
        answer(controller, true, page, response);
    }

    @RequirePOST
    public void doUndrain(
            @QueryParameter String controller,
            @QueryParameter boolean page,
            StaplerResponse2 response)
            throws IOException {
        answer(controller, false, page, response);
    }

    /**
     * Forgets a controller that is gone: 404 when none such is known, 409 when it is a member.
     *
     * @param controller its id
     */
    @RequirePOST
    public void doForget(
            @QueryParameter String controller,
            @QueryParameter boolean page,
            StaplerResponse2 response)
            throws IOException {
        Jenkins.get().checkPermission(Jenkins.MANAGE);
        Membership membership = Membership.active().orElse(null);
        if (membership == null) {
            response.sendError(HttpServletResponse.SC_NOT_FOUND);
            return;
        }
        String text = controller + " is forgotten.";
        try {
            membership.cluster().forget(controller == null ? "" : controller);
            membership.topology().look();
            if (page) {
                response.sendRedirect(".");
                return;
            }
        } catch (HaException e) {
            response.setStatus(
                    e instanceof HaException.NotFound
                            ? HttpServletResponse.SC_NOT_FOUND
                            : e instanceof HaException.Conflict
                                    ? HttpServletResponse.SC_CONFLICT
                                    : HttpServletResponse.SC_SERVICE_UNAVAILABLE);
            text = e.getMessage();
        }
        response.setContentType("text/plain;charset=UTF-8");
        response.getOutputStream().write((text + "\n").getBytes(StandardCharsets.UTF_8));
    }

    /**
     * @param page whether to go back to the page when it is done
     */
    private static void answer(
            String controller, boolean drained, boolean page, StaplerResponse2 response)
            throws IOException {
        Jenkins.get().checkPermission(Jenkins.MANAGE);
        String text;
        try {
            text = Draining.ask(controller == null ? "" : controller, drained);
            if (page) {
                response.sendRedirect(".");
                return;
            }
        } catch (Draining.Failed e) {
            response.setStatus(e.status);
            text = e.getMessage();
        }
        response.setContentType("text/plain;charset=UTF-8");
        response.getOutputStream().write((text + "\n").getBytes(StandardCharsets.UTF_8));
    }

    private static void checkRead() {
        Jenkins jenkins = Jenkins.get();
        if (!jenkins.hasPermission(Jenkins.MANAGE)) {
            jenkins.checkPermission(Jenkins.SYSTEM_READ);
        }
    }
}
