package io.jenkins.plugins.ha.deliveries;

import hudson.model.Api;
import io.jenkins.plugins.ha.Membership;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import jenkins.model.Jenkins;
import org.kohsuke.stapler.QueryParameter;
import org.kohsuke.stapler.StaplerProxy;
import org.kohsuke.stapler.StaplerResponse2;
import org.kohsuke.stapler.export.Exported;
import org.kohsuke.stapler.export.ExportedBean;
import org.kohsuke.stapler.interceptor.RequirePOST;

/**
 * {@code /manage/ha/inbox/}: the webhooks that came to the cluster, for those who may read the
 * system's settings; {@code /ha/inbox/api/json} says the same. {@code POST /ha/inbox/redeliver?id=}
 * sends one again, for who may manage Jenkins.
 */
@ExportedBean
public final class InboxPage implements StaplerProxy {
    private static final int SHOWN = 200;

    /** For whoever may see it. */
    @Override
    public Object getTarget() {
        Jenkins jenkins = Jenkins.get();
        if (!jenkins.hasPermission(Jenkins.MANAGE)) {
            jenkins.checkPermission(Jenkins.SYSTEM_READ);
        }
        return this;
    }

    /** Newest first, of all controllers, those that died too; 200 at the most. */
    @Exported(inline = true)
    public List<InboxEntry> getWebhooks() throws IOException {
        if (Membership.active().isEmpty()) {
            return List.of();
        }
        List<InboxEntry> all = Inbox.all();
        return all.subList(0, Math.min(SHOWN, all.size()));
    }

    /** Whether the present user may send them again. */
    public boolean isMayRedeliver() {
        return Jenkins.get().hasPermission(Jenkins.MANAGE);
    }

    public Api getApi() {
        return new Api(this);
    }

    /**
     * Sends one again to this controller: 404 when it is not known any more, 409 when its request
     * was not kept.
     *
     * @param page whether to go back to the page when it is done
     */
    @RequirePOST
    public void doRedeliver(
            @QueryParameter String id, @QueryParameter boolean page, StaplerResponse2 response)
            throws IOException {
        Jenkins.get().checkPermission(Jenkins.MANAGE);
        Membership membership = Membership.active().orElse(null);
        InboxEntry entry = membership == null || id == null ? null : Inbox.find(id).orElse(null);
        String text;
        if (entry == null) {
            response.setStatus(HttpServletResponse.SC_NOT_FOUND);
            text = "No webhook of this id is in the inbox any more.";
        } else {
            try {
                text = "It was answered with " + Redelivery.send(membership, entry) + ".";
                if (page) {
                    response.sendRedirect(".");
                    return;
                }
            } catch (IOException e) {
                response.setStatus(HttpServletResponse.SC_CONFLICT);
                text = "It was not sent again: " + e.getMessage();
            }
        }
        response.setContentType("text/plain;charset=UTF-8");
        response.getOutputStream().write((text + "\n").getBytes(StandardCharsets.UTF_8));
    }
}
