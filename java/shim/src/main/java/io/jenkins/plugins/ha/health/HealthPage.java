package io.jenkins.plugins.ha.health;

import hudson.Extension;
import hudson.init.InitMilestone;
import hudson.model.UnprotectedRootAction;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.bridge.LinkState;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import jenkins.model.Jenkins;
import org.kohsuke.stapler.StaplerRequest2;
import org.kohsuke.stapler.StaplerResponse2;

/**
 * {@code /ha-health/} for load balancers: 200 when this controller should get requests, else 503.
 * From memory, without a login, and without saying where anything is.
 */
@Extension
public final class HealthPage implements UnprotectedRootAction {
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
        return "ha-health";
    }

    /**
     * A line of JSON: {@code ready}, {@code cluster} in one word, and {@code draining}. A drained
     * controller still serves whatever reaches it, so that a balancer has time to notice.
     */
    public void doIndex(StaplerRequest2 request, StaplerResponse2 response) throws IOException {
        Jenkins jenkins = Jenkins.get();
        Membership membership = Membership.active().orElse(null);
        LinkState.Phase phase = membership == null ? null : membership.link().phase();
        boolean up = jenkins.getInitLevel() == InitMilestone.COMPLETED && !jenkins.isTerminating();
        // while Redis is away a controller still accepts builds and shows everything: as good as
        // any
        boolean member = membership == null || membership.queueIsOurs();
        boolean draining = membership != null && membership.claimer().isDraining();
        boolean ready = up && member && !draining && !jenkins.isQuietingDown();
        response.setStatus(
                ready ? HttpServletResponse.SC_OK : HttpServletResponse.SC_SERVICE_UNAVAILABLE);
        response.setContentType("application/json;charset=UTF-8");
        String cluster = phase == null ? "none" : phase.name().toLowerCase(Locale.ROOT);
        response.getOutputStream()
                .write(
                        ("{\"ready\":"
                                        + ready
                                        + ",\"cluster\":\""
                                        + cluster
                                        + "\",\"draining\":"
                                        + draining
                                        + "}\n")
                                .getBytes(StandardCharsets.UTF_8));
    }
}
