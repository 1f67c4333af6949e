package io.jenkins.plugins.ha.health;

import hudson.Extension;
import hudson.model.AdministrativeMonitor;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.bridge.LinkState;
import io.jenkins.plugins.ha.queue.HaQueue;
import io.jenkins.plugins.ha.settings.EffectiveSettings;
import io.jenkins.plugins.ha.settings.HaConfiguration;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import jenkins.model.Jenkins;

/**
 * Tells the admin, on every page of Manage Jenkins, that this controller is not the part of the
 * cluster that it should be.
 */
@Extension
public final class ClusterMonitor extends AdministrativeMonitor {
    public ClusterMonitor() {
        super("io.jenkins.plugins.ha.health.ClusterMonitor");
    }

    @Override
    public String getDisplayName() {
        return "HA cluster";
    }

    @Override
    public boolean isActivated() {
        return !getProblem().isEmpty();
    }

    /** One sentence, or "" when all is well. From memory. */
    public String getProblem() {
        Membership membership = Membership.active().orElse(null);
        if (membership == null) {
            HaConfiguration settings = HaConfiguration.get();
            if (settings == null) {
                return "";
            }
            EffectiveSettings effective = settings.effective();
            return effective.configured() && effective.fault().isEmpty()
                    ? "HA is configured, but this controller is not in the cluster yet: restart it"
                            + " to join."
                    : effective.gap(false);
        }
        if (!membership.queueIsOurs()) {
            return "Another plugin replaced Jenkins' queue: this controller takes no builds from"
                    + " the cluster. Remove that plugin and restart.";
        }
        String unfit = membership.watchdog().problem();
        if (!unfit.isEmpty()) {
            return "This controller cannot do its part, and is not in the cluster: "
                    + unfit
                    + ". The others take its work over. Look into its log, and restart it if it"
                    + " does not come back.";
        }
        HaConfiguration settings = HaConfiguration.get();
        LinkState link = membership.link();
        if (link.joined()
                && settings != null
                && !settings.effective().equals(membership.settings())) {
            return "The settings of HA were changed: restart this controller to apply them.";
        }
        return link.joined()
                ? notice(membership, link)
                : link.text()
                        + " Builds are accepted, but neither taken nor started here until then."
                        + spaced(onlyInMemory());
    }

    private static String spaced(String sentence) {
        return sentence.isEmpty() ? "" : " " + sentence;
    }

    private static String onlyInMemory() {
        return Jenkins.get().getQueue() instanceof HaQueue queue ? queue.problem() : "";
    }

    /** All that an admin should know though this controller is a member. */
    private static String notice(Membership membership, LinkState link) {
        String thread = membership.watchdog().warning();
        return Stream.of(
                        link.notice(),
                        thread.isEmpty() ? "" : thread + ". Look into this controller's log.",
                        membership.orphans().homeless(),
                        onlyInMemory())
                .filter(sentence -> !sentence.isEmpty())
                .collect(Collectors.joining(" "));
    }
}
