package io.jenkins.plugins.ha.commands;

import hudson.Extension;
import hudson.model.RootAction;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import jenkins.model.Jenkins;
import org.kohsuke.stapler.QueryParameter;
import org.kohsuke.stapler.StaplerResponse2;
import org.kohsuke.stapler.interceptor.RequirePOST;

/**
 * {@code POST /ha/drain} and {@code /ha/undrain}, of this controller or of {@code ?controller=}, a
 * name or id. Needs the permission to quiet Jenkins down, and a crumb, as that does.
 */
@Extension
public final class DrainPage implements RootAction {
    @Override
    public String getIconFileName() {
        return null;
    }

    @Override
    public String getDisplayName() {
        return null;
    }

    @Override
    public String getUrlName() {
        return "ha";
    }

    @RequirePOST
    public void doDrain(@QueryParameter String controller, StaplerResponse2 response)
            throws IOException {
        answer(controller, true, response);
    }

    @RequirePOST
    public void doUndrain(@QueryParameter String controller, StaplerResponse2 response)
            throws IOException {
        answer(controller, false, response);
    }

    private static void answer(String controller, boolean drained, StaplerResponse2 response)
            throws IOException {
        Jenkins.get().checkPermission(Jenkins.MANAGE);
        String text;
        try {
            text = Draining.ask(controller == null ? "" : controller, drained);
        } catch (Draining.Failed e) {
            response.setStatus(
                    e.unknown
                            ? HttpServletResponse.SC_NOT_FOUND
                            : HttpServletResponse.SC_SERVICE_UNAVAILABLE);
            text = e.getMessage();
        }
        response.setContentType("text/plain;charset=UTF-8");
        response.getOutputStream().write((text + "\n").getBytes(StandardCharsets.UTF_8));
    }
}
