package io.jenkins.plugins.ha.queue;

import hudson.Extension;
import hudson.model.Queue;
import hudson.model.queue.CauseOfBlockage;
import hudson.model.queue.QueueTaskDispatcher;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.bridge.LinkState;

/**
 * Nothing starts while this controller is not a member, is drained or is shut down, nothing whose
 * claim was made under an earlier membership, and nothing that stays here before it is its turn in
 * the cluster. From memory.
 */
@Extension
public final class StartGate extends QueueTaskDispatcher {
    @Override
    public CauseOfBlockage canRun(Queue.Item item) {
        Membership membership = Membership.active().orElse(null);
        if (membership == null) {
            return null;
        }
        if (membership.isLeaving()) { // what it has ended would make room for what it keeps
            return new NotAMember("This controller is being shut down");
        }
        if (!Travels.whole(item.task)) {
            return null;
        }
        LinkState link = membership.link();
        if (!link.joined()) {
            return new NotAMember(link.text());
        }
        if (!isOpen(membership, item)) {
            return new NotAMember("This controller is drained: it starts no builds");
        }
        ClusterItemAction action = item.getAction(ClusterItemAction.class);
        if (action != null && action.itemId() > 0 && action.epoch() != link.epoch()) {
            return new NotAMember(
                    "This controller was away; the cluster has given this build to another one");
        }
        if (!LocalBuilds.mayBegin(membership, item)) {
            return new NotAMember(
                    "Waits for another build of "
                            + item.task.getFullDisplayName()
                            + " in the cluster to end");
        }
        return null;
    }

    /**
     * Whether an admin lets it start: on a drained controller only what a build that runs here
     * waits for does, for else that would never end.
     */
    static boolean isOpen(Membership membership, Queue.Item item) {
        return !membership.claimer().isDraining() || Travels.awaited(item);
    }

    private static final class NotAMember extends CauseOfBlockage {
        private final String why;

        NotAMember(String why) {
            this.why = why;
        }

        @Override
        public String getShortDescription() {
            return why;
        }
    }
}
