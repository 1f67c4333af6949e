package io.jenkins.plugins.ha.queue;

import hudson.model.Action;
import hudson.model.Cause;
import hudson.model.CauseAction;
import hudson.model.Queue;
import io.jenkins.plugins.ha.ControllerIdentity;
import io.jenkins.plugins.ha.bridge.NewItem;
import java.util.ArrayList;
import java.util.GregorianCalendar;
import java.util.List;

/** Makes what is stored to run a build again: the item it came from, with one more cause. */
public final class RerunItem {
    private RerunItem() {}

    /** The stored item cannot be made again; the message says why. */
    public static final class Impossible extends Exception {
        private static final long serialVersionUID = 1L;

        Impossible(String message) {
            super(message);
        }
    }

    /**
     * The payload of the new item.
     *
     * @param payload of the item whose build died; null when it is not to be trusted
     * @param id the new item's
     */
    public static byte[] of(
            byte[] payload, String job, long id, Cause cause, ControllerIdentity identity)
            throws Impossible {
        if (payload == null) {
            throw new Impossible("what was stored of it cannot be trusted");
        }
        return of(payload, job, id, List.of(cause), identity);
    }

    /** The payload of the same item under another id. */
    static byte[] renamed(byte[] payload, String job, long id, ControllerIdentity identity)
            throws Impossible {
        return of(payload, job, id, List.of(), identity);
    }

    private static byte[] of(
            byte[] payload, String job, long id, List<Cause> more, ControllerIdentity identity)
            throws Impossible {
        try {
            Queue.WaitingItem stored = Payload.decode(payload, job);
            List<Action> actions = new ArrayList<>();
            actions.add(ClusterItemAction.accepted(id, identity));
            List<Cause> causes = new ArrayList<>();
            for (Action action : stored.getActions()) {
                if (action instanceof CauseAction known) {
                    causes.addAll(known.getCauses());
                } else if (!(action instanceof ClusterItemAction)) {
                    actions.add(action);
                }
            }
            causes.addAll(more);
            if (!causes.isEmpty()) {
                actions.add(new CauseAction(causes));
            }
            byte[] again =
                    Payload.encode(
                            new Queue.WaitingItem(new GregorianCalendar(), stored.task, actions));
            if (again.length > NewItem.MAX_PAYLOAD) {
                throw new Impossible("what is to be stored of it is too large");
            }
            return again;
        } catch (Payload.JobMissing | Payload.Unreadable e) {
            throw new Impossible(e.getMessage());
        } catch (RuntimeException | LinkageError e) {
            throw new Impossible(String.valueOf(e.getMessage()));
        }
    }
}
