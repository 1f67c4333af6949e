package io.jenkins.plugins.ha.clouds;

import hudson.Extension;
import hudson.model.Label;
import hudson.slaves.Cloud;
import hudson.slaves.CloudProvisioningListener;
import hudson.slaves.NodeProvisioner;
import hudson.slaves.NodeProvisioner.PlannedNode;
import hudson.slaves.NodeProvisioner.StrategyDecision;
import io.jenkins.plugins.ha.Membership;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.logging.Level;
import java.util.logging.Logger;
import jenkins.model.Jenkins;

/**
 * How clouds are asked: for one agent for each item that waits and that nothing comes for, without
 * core's averages, which are made to ask late and for few.
 */
@Extension(ordinal = 1000)
public final class AgentsAtOnce extends NodeProvisioner.Strategy {
    private static final Logger LOGGER = Logger.getLogger(AgentsAtOnce.class.getName());
    private static final ThreadLocal<Boolean> ASKS = ThreadLocal.withInitial(() -> false);

    /** Whether this thread asks here, and not by another strategy. */
    static boolean asks() {
        return ASKS.get();
    }

    @Override
    public StrategyDecision apply(NodeProvisioner.StrategyState state) {
        Clouds clouds = Membership.active().map(Membership::clouds).orElse(null);
        if (clouds == null) {
            return StrategyDecision.CONSULT_REMAINING_STRATEGIES;
        }
        int missing = clouds.mayAsk() ? Shortage.of(state.getLabel(), clouds.slots()) : 0;
        CloudRules rules = CloudRules.now();
        boolean others = Jenkins.get().clouds.isEmpty();
        ASKS.set(true);
        try {
            for (Cloud cloud : Jenkins.get().clouds) {
                if (!rules.atOnce(cloud)) {
                    others = true;
                } else if (missing > 0) {
                    missing -= ask(clouds, cloud, state, missing);
                }
            }
        } finally {
            ASKS.set(false);
        }
        return others // which core asks, and those that were asked here it is refused
                ? StrategyDecision.CONSULT_REMAINING_STRATEGIES
                : StrategyDecision.PROVISIONING_COMPLETED;
    }

    /** How many executors come of it. A cloud that fails is left alone for a while. */
    private static int ask(
            Clouds clouds, Cloud cloud, NodeProvisioner.StrategyState state, int missing) {
        Label label = state.getLabel();
        if (clouds.rests(cloud, label)) {
            return 0;
        }
        int come = 0;
        try {
            while (come < missing) {
                Cloud.CloudState now =
                        new Cloud.CloudState(label, state.getAdditionalPlannedCapacity());
                if (!cloud.canProvision(now) || isRefused(cloud, now)) {
                    break;
                }
                Collection<PlannedNode> nodes = List.of();
                try {
                    nodes = cloud.provision(now, 1);
                } finally {
                    for (CloudProvisioningListener listener : CloudProvisioningListener.all()) {
                        listener.onStarted(cloud, label, nodes);
                    }
                }
                if (nodes.isEmpty()) {
                    clouds.failed(cloud, label);
                    break;
                }
                state.recordPendingLaunches(nodes);
                for (PlannedNode node : nodes) {
                    come += node.numExecutors;
                    clouds.asked(node, cloud, label);
                    if (node.future instanceof CompletableFuture<?> future) {
                        future.whenComplete((done, failed) -> clouds.review(label));
                    }
                    LOGGER.info(() -> "Asked the cloud " + cloud.name + " for " + node.displayName);
                }
            }
        } catch (RuntimeException | Error e) {
            LOGGER.log(Level.WARNING, "The cloud " + cloud.name + " failed and rests a while", e);
            clouds.failed(cloud, label);
        }
        return come;
    }

    private static boolean isRefused(Cloud cloud, Cloud.CloudState state) {
        for (CloudProvisioningListener listener : CloudProvisioningListener.all()) {
            if (listener.canProvision(cloud, state, 1) != null) {
                return true;
            }
        }
        return false;
    }
}
