package io.jenkins.plugins.ha.health;

import hudson.Extension;
import hudson.init.InitMilestone;
import hudson.model.UnprotectedRootAction;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.bridge.LinkState;
import io.jenkins.plugins.ha.bridge.ThreadLife;
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
     * A line of JSON: {@code ready}, {@code cluster} in one word, {@code draining}, whether this
     * controller alone is {@code cutOff}, how many {@code settingsNotInForce} it has, how much is
     * {@code untold} to the cluster and for how long, and how each thread does. A drained
     * controller still serves whatever reaches it, so that a balancer has time to notice.
     */
    public void doIndex(StaplerRequest2 request, StaplerResponse2 response) throws IOException {
        Jenkins jenkins = Jenkins.get();
        Membership membership = Membership.active().orElse(null);
        boolean up = jenkins.getInitLevel() == InitMilestone.COMPLETED && !jenkins.isTerminating();
        boolean ready = up && !jenkins.isQuietingDown();
        StringBuilder json = new StringBuilder();
        if (membership == null) {
            json.append(",\"cluster\":\"none\",\"draining\":false");
        } else {
            LinkState.Phase phase = membership.link().phase();
            boolean draining = membership.claimer().isDraining();
            // while Redis is away for all, a controller still accepts builds and shows everything:
            // as good as any
            boolean cutOff =
                    phase == LinkState.Phase.TURNED_AWAY
                            || phase != LinkState.Phase.JOINED
                                    && membership.others().joinedWithoutUs();
            boolean fit = membership.watchdog().problem().isEmpty();
            ready &= membership.queueIsOurs() && !draining && !cutOff && fit;
            json.append(",\"cluster\":\"").append(phase.name().toLowerCase(Locale.ROOT));
            json.append("\",\"draining\":").append(draining);
            json.append(",\"cutOff\":").append(cutOff);
            json.append(",\"fit\":").append(fit);
            // tells the answers of controllers apart, and nothing else
            String boot = membership.identity().incarnation();
            json.append(",\"boot\":\"").append(boot, 0, Math.min(8, boot.length())).append('"');
            json.append(",\"untold\":").append(membership.outbound().untold());
            json.append(",\"oldestUntoldMillis\":");
            json.append(membership.outbound().oldestMillis());
            // how many, not which: anybody may ask
            json.append(",\"settingsNotInForce\":");
            json.append(membership.carrying().troubles().all().size());
            json.append(",\"threads\":[");
            String comma = "";
            for (ThreadLife life : membership.watchdog().lives()) {
                json.append(comma).append("{\"name\":\"").append(life.name());
                json.append("\",\"well\":").append(life.problem().isEmpty());
                json.append(",\"roundMillisAgo\":").append(life.roundMillisAgo());
                json.append(",\"restarts\":").append(life.restarts()).append('}');
                comma = ",";
            }
            json.append(']');
        }
        response.setStatus(
                ready ? HttpServletResponse.SC_OK : HttpServletResponse.SC_SERVICE_UNAVAILABLE);
        response.setContentType("application/json;charset=UTF-8");
        String line = "{\"ready\":" + ready + json + "}\n";
        response.getOutputStream().write(line.getBytes(StandardCharsets.UTF_8));
    }
}
