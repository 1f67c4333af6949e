package io.jenkins.plugins.ha.health;

import hudson.Extension;
import hudson.model.AdministrativeMonitor;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.bridge.KnownController;
import io.jenkins.plugins.ha.topology.Topology;
import java.util.List;
import jenkins.model.Jenkins;
import org.kohsuke.stapler.HttpResponse;
import org.kohsuke.stapler.HttpResponses;
import org.kohsuke.stapler.QueryParameter;
import org.kohsuke.stapler.interceptor.RequirePOST;

/** Tells the admin how the controllers of the cluster differ, and which of them are gone. */
@Extension
public final class TopologyMonitor extends AdministrativeMonitor {
    public TopologyMonitor() {
        super("io.jenkins.plugins.ha.health.TopologyMonitor");
    }

    @Override
    public String getDisplayName() {
        return "HA controllers";
    }

    @Override
    public boolean isActivated() {
        return !getProblems().isEmpty() || !getGone().isEmpty();
    }

    /** A sentence each. From memory. */
    public List<String> getProblems() {
        return Membership.active().map(m -> m.topology().problems()).orElse(List.of());
    }

    /** Controllers that died and are not back. From memory. */
    public List<Gone> getGone() {
        return Membership.active()
                .map(m -> m.topology().gone().stream().map(Gone::new).toList())
                .orElse(List.of());
    }

    /** The admin knows that it does not come back. */
    @RequirePOST
    public HttpResponse doForget(@QueryParameter String controller) {
        Jenkins.get().checkPermission(Jenkins.MANAGE);
        Membership membership = Membership.active().orElse(null);
        if (membership != null) {
            try {
                membership.cluster().forget(controller);
            } catch (HaException.NotFound | HaException.Conflict alreadyForgottenOrBack) {
                // the page shows how it is now
            }
            membership.topology().look();
        }
        return HttpResponses.redirectViaContextPath("manage");
    }

    /** A controller that died. */
    public static final class Gone {
        private final KnownController controller;

        Gone(KnownController controller) {
            this.controller = controller;
        }

        public String getId() {
            return controller.controllerId();
        }

        /** In a sentence. */
        public String getText() {
            long minutes = controller.goneMillis() / 60_000;
            String since =
                    minutes < 1
                            ? "less than a minute"
                            : minutes < 120 ? minutes + " min" : minutes / 60 + " h";
            return Topology.called(controller)
                    + " has been gone for "
                    + since
                    + "; "
                    + controller.reran()
                    + (controller.reran() == 1 ? " build" : " builds")
                    + " of it run again.";
        }
    }
}
