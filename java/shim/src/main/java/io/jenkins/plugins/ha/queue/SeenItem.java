package io.jenkins.plugins.ha.queue;

import hudson.model.Action;
import hudson.model.Job;
import hudson.model.ParameterValue;
import hudson.model.ParametersAction;
import hudson.model.Queue;
import hudson.model.Run;
import hudson.model.queue.CauseOfBlockage;
import hudson.model.queue.FutureImpl;
import hudson.model.queue.WorkUnitContext;
import hudson.remoting.AsyncFutureImpl;
import hudson.security.ACL;
import hudson.security.ACLContext;
import io.jenkins.plugins.ha.bridge.Item;
import io.jenkins.plugins.ha.bridge.ItemState;
import java.lang.reflect.Constructor;
import java.util.ArrayList;
import java.util.Calendar;
import java.util.GregorianCalendar;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.logging.Level;
import java.util.logging.Logger;
import jenkins.model.Jenkins;

/**
 * One item of the cluster's queue as seen from here, in the shapes in which Jenkins shows items. It
 * is in none of the lists of Jenkins' own queue: those hold only what this controller has claimed.
 * Thread-safe.
 */
@SuppressWarnings("try") // who acts is settled by having the context open
final class SeenItem {
    private static final Logger LOGGER = Logger.getLogger(SeenItem.class.getName());
    private static final Constructor<?> BLOCKED = blockedConstructor();

    private final Object lock = new Object();
    private final boolean acceptedHere;
    private volatile Item item;
    private Integer parametersHash;
    private Queue.WaitingItem waiting;
    private Queue.Item shown;
    private Object shownFor;
    private boolean startTold;
    private boolean endTold;
    private boolean enteredTold;
    private boolean leftTold;
    private long leftAt;

    /** Futures of builds that died with their controllers, and that this one runs again. */
    private final List<FutureImpl> handedOn = new ArrayList<>();

    /**
     * @param original the item whose future a caller holds; null where the payload is to be read
     *     when first needed
     */
    SeenItem(Item item, Queue.WaitingItem original) {
        this.item = item;
        this.waiting = original;
        this.acceptedHere = original != null;
    }

    long id() {
        return item.id();
    }

    Item item() {
        return item;
    }

    /** Whether this controller accepted it, in this run. */
    boolean acceptedHere() {
        return acceptedHere;
    }

    /** Notes that listeners hear of its coming; true only the first time. */
    boolean enteredOnce() {
        synchronized (lock) {
            boolean first = !enteredTold;
            enteredTold = true;
            return first;
        }
    }

    /** Notes that listeners hear of its end; true only the first time. */
    boolean leftToldOnce() {
        synchronized (lock) {
            boolean first = !leftTold;
            leftTold = true;
            return first;
        }
    }

    /** Not yet started: waits, or is held by a controller that has not started it. */
    boolean waits() {
        ItemState state = item.state();
        return state == ItemState.QUEUED
                || state == ItemState.CLAIMED
                || state == ItemState.UNREADABLE;
    }

    /** The cluster has it, as its first version. */
    void stored(long revision) {
        synchronized (lock) {
            if (item.version() == 0) {
                item = item.stored(revision);
            }
        }
    }

    /**
     * A number that is the same for the same parameters: what differs in it is no duplicate. 0 for
     * an item that cannot be made here.
     */
    int parametersHash() {
        synchronized (lock) {
            if (parametersHash == null) {
                Queue.WaitingItem made = waiting();
                if (made == null) {
                    return 0;
                }
                parametersHash = hashOfParameters(made.getActions(ParametersAction.class));
            }
            return parametersHash;
        }
    }

    /** As a set, which is how {@link ParametersAction#shouldSchedule} compares. */
    static int hashOfParameters(List<? extends Action> actions) {
        Set<ParameterValue> parameters = new HashSet<>();
        for (Action action : actions) {
            if (action instanceof ParametersAction some) {
                parameters.addAll(some.getAllParameters());
            }
        }
        return parameters.hashCode();
    }

    /** Takes over newer news; false when these are old. */
    boolean update(Item newer) {
        synchronized (lock) {
            if (newer.version() < item.version()) {
                return false;
            }
            boolean foldedInto =
                    newer.payload() != null
                            && item.payload() != null
                            && newer.jobRevision() > item.jobRevision()
                            && (newer.state() == ItemState.QUEUED
                                    || newer.state() == ItemState.CLAIMED);
            byte[] payload = newer.payload() == null ? item.payload() : newer.payload();
            item = newer.withPayload(payload);
            if (foldedInto) {
                parametersHash = null;
                takeOverActions();
            }
            shown = null;
            return true;
        }
    }

    /** Shows it as cancelled until newer news come, if it has not started. */
    void cancel() {
        synchronized (lock) {
            if (waits()) {
                item = item.cancelled();
                shown = null;
            }
        }
    }

    /**
     * What Jenkins shows for it; null when it cannot be shown here (its job is not on this
     * controller).
     */
    Queue.Item shown() {
        synchronized (lock) {
            Item now = item;
            Object shape = shape(now);
            if (shown == null || !shape.equals(shownFor)) {
                shownFor = shape;
                shown = make(now);
            }
            return shown;
        }
    }

    /**
     * The waiting item itself, with the future callers wait on; null when it cannot be made here.
     */
    Queue.WaitingItem waiting() {
        synchronized (lock) {
            if (waiting == null) {
                waiting = decoded();
            }
            return waiting;
        }
    }

    /**
     * Completes the future as far as the item has come.
     *
     * @param giveUp the build has been waited for long enough: fail the future
     * @return false when the build cannot be read yet
     */
    boolean settleFuture(boolean giveUp) {
        List<FutureImpl> futures = futures();
        Item now = item;
        if (futures.isEmpty()) {
            return true;
        }
        if (now.state() == ItemState.CANCELLED) {
            futures.forEach(FutureImpl::setAsCancelled);
            return true;
        }
        boolean started = now.state() == ItemState.RUNNING || now.state() == ItemState.DONE;
        if (!started || endTold || runsAgain()) {
            return true;
        }
        Run<?, ?> run = run(now);
        if (run == null) {
            if (giveUp) {
                IllegalStateException lost =
                        new IllegalStateException(
                                "Build "
                                        + now.job()
                                        + " #"
                                        + now.number()
                                        + " is known to the cluster but cannot be read on this"
                                        + " controller");
                for (FutureImpl future : futures) {
                    if (!future.getStartCondition().isDone()) {
                        startCondition(future).set((Throwable) lost);
                    }
                    future.set((Throwable) lost);
                }
            }
            return giveUp;
        }
        if (!startTold) {
            startTold = true;
            for (FutureImpl future : futures) {
                if (!future.getStartCondition().isDone()) {
                    startCondition(future).set((Queue.Executable) run);
                }
            }
        }
        if (now.state() == ItemState.DONE) {
            endTold = true;
            futures.forEach(future -> future.set((Queue.Executable) run));
        }
        return true;
    }

    /** Whether its build died with its controller, and runs again as another item. */
    boolean runsAgain() {
        return item.state() == ItemState.DONE && item.again() > 0;
    }

    /** Those who wait for this build; they wait for the one that runs it again from here on. */
    List<FutureImpl> handOn() {
        synchronized (lock) {
            List<FutureImpl> futures = futures();
            endTold = true;
            return futures;
        }
    }

    /** Who waited for a build that this one runs again waits for this one. */
    void waitFor(List<FutureImpl> futures) {
        synchronized (lock) {
            handedOn.addAll(futures);
            startTold = false;
        }
    }

    private List<FutureImpl> futures() {
        synchronized (lock) {
            List<FutureImpl> futures = new ArrayList<>(handedOn);
            if (waiting != null) {
                futures.add((FutureImpl) waiting.getFuture());
            }
            futures.removeIf(FutureImpl::isDone);
            return futures;
        }
    }

    /** Notes when it left; true only the first time. */
    boolean leftOnce() {
        synchronized (lock) {
            if (leftAt != 0) {
                return false;
            }
            leftAt = System.nanoTime() | 1; // 0 is for not yet
            return true;
        }
    }

    /** By {@link System#nanoTime}: the clock may be set meanwhile. */
    long leftAt() {
        synchronized (lock) {
            return leftAt;
        }
    }

    private Object shape(Item now) {
        boolean quiet =
                now.state() == ItemState.QUEUED && now.dueMillis() > System.currentTimeMillis();
        return List.of(now.state(), now.blocked(), quiet, now.number());
    }

    private Queue.Item make(Item now) {
        Queue.WaitingItem base = waiting();
        if (base == null) {
            return null;
        }
        return switch (now.state()) {
            case CANCELLED -> new Queue.LeftItem(base);
            case STARTING, RUNNING, ORPHANED, DONE -> started(base, now);
            case UNREADABLE ->
                    blocked(
                            base,
                            "It cannot be read: "
                                    + now.why()
                                    + ". Its bytes are kept until you cancel it.");
            case CLAIMED -> new Queue.BuildableItem(base);
            case QUEUED -> {
                base.timestamp = calendar(now.dueMillis());
                if (now.blocked()) {
                    yield blocked(
                            base,
                            "Waits for another build of "
                                    + base.task.getFullDisplayName()
                                    + " in the cluster to end");
                }
                yield now.dueMillis() > System.currentTimeMillis()
                        ? base
                        : new Queue.BuildableItem(base);
            }
        };
    }

    private Queue.Item started(Queue.WaitingItem base, Item now) {
        WorkUnitContext context = new WorkUnitContext(new Queue.BuildableItem(base));
        Run<?, ?> run = run(now);
        if (run != null) {
            context.createWorkUnit(base.task).setExecutable((Queue.Executable) run);
        } else {
            context.createWorkUnit(base.task);
            shownFor = null; // made again when asked again, until the build can be read
        }
        return new Queue.LeftItem(context);
    }

    /**
     * As one that is blocked; as one that waits for an executor where Jenkins lets none be made.
     */
    static Queue.Item blocked(Queue.WaitingItem base, String why) {
        if (BLOCKED != null) {
            try {
                return (Queue.Item) BLOCKED.newInstance(Queue.getInstance(), base, new Why(why));
            } catch (ReflectiveOperationException e) {
                LOGGER.log(Level.FINE, "No blocked items can be made", e);
            }
        }
        return new Queue.BuildableItem(base);
    }

    private static Run<?, ?> run(Item now) {
        try (ACLContext asSystem = ACL.as2(ACL.SYSTEM2)) {
            Job<?, ?> job = Jenkins.get().getItemByFullName(now.job(), Job.class);
            Run<?, ?> run =
                    job == null || now.number() == 0 ? null : job.getBuildByNumber(now.number());
            return run instanceof Queue.Executable ? run : null;
        }
    }

    private Queue.WaitingItem decoded() {
        Item now = item;
        try {
            if (now.payload() != null && now.state() != ItemState.UNREADABLE) {
                return Payload.decode(now.payload(), now.job());
            }
        } catch (Payload.JobMissing | Payload.Unreadable e) {
            LOGGER.log(
                    Level.FINE,
                    "Item {0} is shown without its actions: {1}",
                    new Object[] {now.id(), e.getMessage()});
        }
        try (ACLContext asSystem = ACL.as2(ACL.SYSTEM2)) {
            Job<?, ?> job = Jenkins.get().getItemByFullName(now.job(), Job.class);
            if (!(job instanceof Queue.Task task)) {
                return null;
            }
            return new Queue.WaitingItem(
                    calendar(now.dueMillis()), task, List.of(ClusterItemAction.shownOnly(now)));
        }
    }

    /**
     * Another controller folded causes or parameters in: show them on the item whose future callers
     * hold.
     */
    private void takeOverActions() {
        if (waiting == null) {
            return;
        }
        try {
            Queue.WaitingItem folded = Payload.decode(item.payload(), item.job());
            folded.getActions()
                    .forEach(
                            action -> {
                                if (!(action instanceof ClusterItemAction)) {
                                    waiting.replaceAction(action);
                                }
                            });
        } catch (Payload.JobMissing | Payload.Unreadable e) {
            LOGGER.log(
                    Level.FINE,
                    "Item {0} keeps its old actions: {1}",
                    new Object[] {item.id(), e.getMessage()});
        }
    }

    @SuppressWarnings(
            "unchecked") // FutureImpl hands out as a Future what it keeps as an AsyncFutureImpl
    private static AsyncFutureImpl<Queue.Executable> startCondition(FutureImpl future) {
        return (AsyncFutureImpl<Queue.Executable>) (Object) future.getStartCondition();
    }

    private static Calendar calendar(long millis) {
        Calendar calendar = new GregorianCalendar();
        calendar.setTimeInMillis(millis);
        return calendar;
    }

    /**
     * Jenkins makes blocked items only itself; without this the item is shown as waiting for an
     * executor.
     */
    private static Constructor<?> blockedConstructor() {
        try {
            Constructor<?> constructor =
                    Queue.BlockedItem.class.getDeclaredConstructor(
                            Queue.class, Queue.WaitingItem.class, CauseOfBlockage.class);
            constructor.setAccessible(true);
            return constructor;
        } catch (ReflectiveOperationException | RuntimeException e) {
            LOGGER.log(
                    Level.FINE, "Blocked items of other controllers are shown as waiting ones", e);
            return null;
        }
    }

    private static final class Why extends CauseOfBlockage {
        private final String text;

        Why(String text) {
            this.text = text;
        }

        @Override
        public String getShortDescription() {
            return text;
        }
    }
}
