package hudson.slaves;

import hudson.ExtensionPoint;
import hudson.model.Label;
import hudson.model.Node;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.Future;

public class NodeProvisioner {
    NodeProvisioner() {}

    public List<PlannedNode> getPendingLaunches() {
        throw new UnsupportedOperationException();
    }

    public void suggestReviewNow() {
        throw new UnsupportedOperationException();
    }

    public static class PlannedNode {
        public final String displayName;
        public final Future<Node> future;
        public final int numExecutors;

        public PlannedNode(String displayName, Future<Node> future, int numExecutors) {
            throw new UnsupportedOperationException();
        }
    }

    public enum StrategyDecision {
        CONSULT_REMAINING_STRATEGIES,
        PROVISIONING_COMPLETED
    }

    public abstract static class Strategy implements ExtensionPoint {
        public Strategy() {
            throw new UnsupportedOperationException();
        }

        public abstract StrategyDecision apply(StrategyState state);
    }

    public final class StrategyState {
        StrategyState() {}

        public Label getLabel() {
            throw new UnsupportedOperationException();
        }

        public int getAdditionalPlannedCapacity() {
            throw new UnsupportedOperationException();
        }

        public void recordPendingLaunches(Collection<PlannedNode> plannedNodes) {
            throw new UnsupportedOperationException();
        }
    }
}
