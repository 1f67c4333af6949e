package io.jenkins.plugins.ha.clouds;

import hudson.AbortException;
import hudson.Extension;
import hudson.FilePath;
import hudson.model.Computer;
import hudson.model.Executor;
import hudson.model.ExecutorListener;
import hudson.model.Label;
import hudson.model.Node;
import hudson.model.Queue;
import hudson.model.TaskListener;
import hudson.model.queue.CauseOfBlockage;
import hudson.model.queue.QueueListener;
import hudson.model.queue.QueueTaskDispatcher;
import hudson.remoting.Channel;
import hudson.slaves.AbstractCloudSlave;
import hudson.slaves.Cloud;
import hudson.slaves.CloudProvisioningListener;
import hudson.slaves.ComputerListener;
import hudson.slaves.NodeProvisioner.PlannedNode;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.bridge.HaException;
import java.io.IOException;
import java.util.Collection;
import java.util.Optional;
import jenkins.model.NodeListener;

/** What core tells of clouds, their agents and what waits for them. */
final class CloudEvents {
    /** A controller that boots is a member within seconds. */
    private static final long JOIN_MILLIS = 10_000;

    private CloudEvents() {}

    private static Optional<Clouds> clouds() {
        return Membership.active().map(Membership::clouds);
    }

    /** Whoever asks a cloud for agents, core's strategy or a plugin's, needs slots for them. */
    @Extension
    public static final class Asking extends CloudProvisioningListener {
        @Override
        public CauseOfBlockage canProvision(Cloud cloud, Cloud.CloudState state, int count) {
            Clouds clouds = clouds().orElse(null);
            if (clouds == null) {
                return null;
            }
            boolean atOnce = CloudRules.now().atOnce(cloud);
            if (atOnce && !AgentsAtOnce.asks()) {
                return new NotNow(
                        "The cloud " + cloud.name + " is asked at once, not on the clock");
            }
            String why = clouds.slots().reserve(cloud, count, atOnce);
            return why.isEmpty() ? null : new NotNow(why);
        }

        @Override
        public void onStarted(Cloud cloud, Label label, Collection<PlannedNode> nodes) {
            clouds().ifPresent(clouds -> clouds.slots().started(cloud, nodes));
        }

        @Override
        public void onComplete(PlannedNode planned, Node node) {
            clouds().ifPresent(clouds -> clouds.slots().becomes(planned, node));
        }

        @Override
        public void onCommit(PlannedNode planned, Node node) {
            clouds().ifPresent(clouds -> clouds.slots().committed(planned, node));
        }

        @Override
        public void onFailure(PlannedNode planned, Throwable t) {
            clouds().ifPresent(clouds -> clouds.failed(planned));
        }

        @Override
        public void onRollback(PlannedNode planned, Node node, Throwable t) {
            clouds().ifPresent(
                            clouds -> {
                                clouds.slots().rolledBack(planned, node);
                                clouds.failed(planned);
                            });
        }
    }

    private static final class NotNow extends CauseOfBlockage {
        private final String why;

        NotNow(String why) {
            this.why = why;
        }

        @Override
        public String getShortDescription() {
            return why;
        }
    }

    /** Agents that are gone. */
    @Extension
    public static final class Nodes extends NodeListener {
        @Override
        protected void onDeleted(Node node) {
            if (node instanceof AbstractCloudSlave) {
                clouds().ifPresent(clouds -> clouds.slots().gone(node.getNodeName()));
            }
        }
    }

    /**
     * Agents that come. Those that are being ended do not; one that this controller had before it
     * was started is not launched before it is known that no survivor has ended it.
     */
    @Extension
    public static final class Connections extends ComputerListener {
        @Override
        public void preLaunch(Computer computer, TaskListener listener) throws IOException {
            refuseEnded(computer);
            Membership membership = Membership.active().orElse(null);
            if (membership == null || !(computer.getNode() instanceof AbstractCloudSlave agent)) {
                return;
            }
            try {
                membership.cluster().awaitJoined(JOIN_MILLIS);
                if (!membership.clouds().slots().admit(agent)) {
                    throw new AbortException(
                            "Another controller has ended the agent, or has taken it over");
                }
            } catch (HaException e) {
                throw new AbortException(
                        "This controller is no member of its cluster just now, so the agent is"
                                + " launched later: "
                                + e.getMessage());
            }
        }

        @Override
        public void preOnline(
                Computer computer, Channel channel, FilePath root, TaskListener listener)
                throws IOException {
            refuseEnded(computer);
        }

        private static void refuseEnded(Computer computer) throws IOException {
            Node node = computer.getNode();
            if (node != null && EndedHere.contains(node)) {
                throw new AbortException("The agent is being ended: its controller died");
            }
        }

        @Override
        public void onOnline(Computer computer, TaskListener listener) {
            if (computer.getNode() instanceof AbstractCloudSlave agent) {
                clouds().ifPresent(clouds -> clouds.slots().online(agent));
            }
        }
    }

    /** Agents that run something. */
    @Extension
    public static final class Work implements ExecutorListener {
        @Override
        public void taskStarted(Executor executor, Queue.Task task) {
            clouds().ifPresent(clouds -> clouds.slots().used(executor.getOwner().getName()));
        }

        @Override
        public void taskCompleted(Executor executor, Queue.Task task, long durationMS) {}

        @Override
        public void taskCompletedWithProblems(
                Executor executor, Queue.Task task, long durationMS, Throwable problems) {}
    }

    /** Nothing runs on what is being ended. */
    @Extension
    public static final class Ended extends QueueTaskDispatcher {
        @Override
        public CauseOfBlockage canTake(Node node, Queue.BuildableItem item) {
            return EndedHere.contains(node)
                    ? new NotNow("The agent " + node.getNodeName() + " is being ended")
                    : null;
        }
    }

    /** What may need an agent. */
    @Extension
    public static final class Waiting extends QueueListener {
        @Override
        public void onEnterBuildable(Queue.BuildableItem item) {
            if (!(item.task instanceof Queue.FlyweightTask)) {
                clouds().ifPresent(clouds -> clouds.review(item.getAssignedLabel()));
            }
        }
    }
}
