package hudson.model;

import com.thoughtworks.xstream.XStream;
import hudson.ExtensionList;
import hudson.ExtensionPoint;
import hudson.model.queue.CauseOfBlockage;
import hudson.model.queue.QueueSorter;
import hudson.model.queue.QueueTaskFuture;
import hudson.model.queue.ScheduleResult;
import hudson.model.queue.SubTask;
import hudson.model.queue.WorkUnitContext;
import java.time.Duration;
import java.util.Calendar;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.Future;
import jenkins.model.queue.AsynchronousExecution;
import jenkins.model.queue.QueueItem;
import org.springframework.security.core.Authentication;

public class Queue extends ResourceController implements Saveable {
    public static final XStream XSTREAM = null;

    public Queue(LoadBalancer loadBalancer) {
        throw new UnsupportedOperationException();
    }

    public ScheduleResult schedule2(Queue.Task task, int quietPeriod, Action... actions) {
        throw new UnsupportedOperationException();
    }

    public ScheduleResult schedule2(Queue.Task task, int quietPeriod, List<Action> actions) {
        throw new UnsupportedOperationException();
    }

    public boolean cancel(Queue.Item item) {
        throw new UnsupportedOperationException();
    }

    public boolean cancel(Queue.Task task) {
        throw new UnsupportedOperationException();
    }

    public void clear() {
        throw new UnsupportedOperationException();
    }

    public void load() {
        throw new UnsupportedOperationException();
    }

    public void save() {
        throw new UnsupportedOperationException();
    }

    public void maintain() {
        throw new UnsupportedOperationException();
    }

    public Future<?> scheduleMaintenance() {
        throw new UnsupportedOperationException();
    }

    public Queue.Item getItem(Queue.Task task) {
        throw new UnsupportedOperationException();
    }

    public Queue.Item getItem(long id) {
        throw new UnsupportedOperationException();
    }

    public Queue.Item[] getItems() {
        throw new UnsupportedOperationException();
    }

    public List<Queue.Item> getItems(Queue.Task task) {
        throw new UnsupportedOperationException();
    }

    public Queue.StubItem[] getDiscoverableItems() {
        throw new UnsupportedOperationException();
    }

    public List<Queue.BuildableItem> getBuildableItems() {
        throw new UnsupportedOperationException();
    }

    public List<Queue.BuildableItem> getBuildableItems(Computer computer) {
        throw new UnsupportedOperationException();
    }

    public List<Queue.BuildableItem> getPendingItems() {
        throw new UnsupportedOperationException();
    }

    protected List<Queue.BlockedItem> getBlockedItems() {
        throw new UnsupportedOperationException();
    }

    public Collection<Queue.LeftItem> getLeftItems() {
        throw new UnsupportedOperationException();
    }

    public void clearLeftItems() {
        throw new UnsupportedOperationException();
    }

    public List<Queue.Item> getUnblockedItems() {
        throw new UnsupportedOperationException();
    }

    public Set<Queue.Task> getUnblockedTasks() {
        throw new UnsupportedOperationException();
    }

    public boolean isPending(Queue.Task task) {
        throw new UnsupportedOperationException();
    }

    public boolean isEmpty() {
        throw new UnsupportedOperationException();
    }

    public boolean contains(Queue.Task task) {
        throw new UnsupportedOperationException();
    }

    public int countBuildableItems() {
        throw new UnsupportedOperationException();
    }

    public int countBuildableItemsFor(Label label) {
        throw new UnsupportedOperationException();
    }

    public int strictCountBuildableItemsFor(Label label) {
        throw new UnsupportedOperationException();
    }

    public LoadBalancer getLoadBalancer() {
        throw new UnsupportedOperationException();
    }

    public void setLoadBalancer(LoadBalancer loadBalancer) {
        throw new UnsupportedOperationException();
    }

    public QueueSorter getSorter() {
        throw new UnsupportedOperationException();
    }

    public void setSorter(QueueSorter sorter) {
        throw new UnsupportedOperationException();
    }

    public static Queue getInstance() {
        throw new UnsupportedOperationException();
    }

    public static <V> V withLock(Callable<V> callable) throws Exception {
        throw new UnsupportedOperationException();
    }

    public static void withLock(Runnable runnable) {
        throw new UnsupportedOperationException();
    }

    public static boolean tryWithLock(Runnable runnable) {
        throw new UnsupportedOperationException();
    }

    public static boolean tryWithLock(Runnable runnable, Duration timeout)
            throws InterruptedException {
        throw new UnsupportedOperationException();
    }

    public static Runnable wrapWithLock(Runnable runnable) {
        throw new UnsupportedOperationException();
    }

    public static <V> Callable<V> wrapWithLock(Callable<V> callable) {
        throw new UnsupportedOperationException();
    }

    public static boolean isBlockedByShutdown(Queue.Task task) {
        throw new UnsupportedOperationException();
    }

    public interface Task extends SubTask {
        String getName();

        String getUrl();

        default boolean isConcurrentBuild() {
            throw new UnsupportedOperationException();
        }

        default CauseOfBlockage getCauseOfBlockage() {
            throw new UnsupportedOperationException();
        }

        default void checkAbortPermission() {
            throw new UnsupportedOperationException();
        }

        default Collection<? extends SubTask> getSubTasks() {
            throw new UnsupportedOperationException();
        }

        default String getAffinityKey() {
            throw new UnsupportedOperationException();
        }

        default Authentication getDefaultAuthentication2() {
            throw new UnsupportedOperationException();
        }

        default Authentication getDefaultAuthentication2(Queue.Item item) {
            throw new UnsupportedOperationException();
        }
    }

    public interface TransientTask extends Queue.Task {}

    public interface FlyweightTask extends Queue.Task {}

    public interface NonBlockingTask extends Queue.Task {}

    public interface Executable extends Runnable {
        SubTask getParent();

        default Queue.Executable getParentExecutable() {
            throw new UnsupportedOperationException();
        }

        void run() throws AsynchronousExecution;

        default long getEstimatedDuration() {
            throw new UnsupportedOperationException();
        }

        String toString();
    }

    public abstract static class Item extends Actionable implements QueueItem {
        public final Queue.Task task = null;

        Item() {}

        public String getCausesDescription() {
            throw new UnsupportedOperationException();
        }

        public long getId() {
            throw new UnsupportedOperationException();
        }

        public Queue.Task getTask() {
            throw new UnsupportedOperationException();
        }

        public QueueTaskFuture<Queue.Executable> getFuture() {
            throw new UnsupportedOperationException();
        }

        public String getUrl() {
            throw new UnsupportedOperationException();
        }

        public long getInQueueSince() {
            throw new UnsupportedOperationException();
        }

        public String getInQueueForString() {
            throw new UnsupportedOperationException();
        }

        public final List<Cause> getCauses() {
            throw new UnsupportedOperationException();
        }

        public String getParams() {
            throw new UnsupportedOperationException();
        }

        public final String getWhy() {
            throw new UnsupportedOperationException();
        }

        public abstract CauseOfBlockage getCauseOfBlockage();

        public Label getAssignedLabel() {
            throw new UnsupportedOperationException();
        }

        public boolean isBlocked() {
            throw new UnsupportedOperationException();
        }

        public boolean isBuildable() {
            throw new UnsupportedOperationException();
        }

        public boolean isStuck() {
            throw new UnsupportedOperationException();
        }

        public Authentication authenticate2() {
            throw new UnsupportedOperationException();
        }
    }

    public static class StubTask {
        public StubTask(Queue.Task base) {
            throw new UnsupportedOperationException();
        }
    }

    public static class StubItem {
        public StubItem(Queue.StubTask task) {
            throw new UnsupportedOperationException();
        }
    }

    public static final class WaitingItem extends Queue.Item {
        public Calendar timestamp;

        public WaitingItem(Calendar timestamp, Queue.Task project, List<Action> actions) {
            throw new UnsupportedOperationException();
        }

        public CauseOfBlockage getCauseOfBlockage() {
            throw new UnsupportedOperationException();
        }
    }

    public abstract static class NotWaitingItem extends Queue.Item {
        NotWaitingItem() {}
    }

    public final class BlockedItem extends Queue.NotWaitingItem {
        BlockedItem() {}

        public CauseOfBlockage getCauseOfBlockage() {
            throw new UnsupportedOperationException();
        }
    }

    public static final class BuildableItem extends Queue.NotWaitingItem {
        public BuildableItem(Queue.NotWaitingItem ni) {
            throw new UnsupportedOperationException();
        }

        public BuildableItem(Queue.WaitingItem wi) {
            throw new UnsupportedOperationException();
        }

        public CauseOfBlockage getCauseOfBlockage() {
            throw new UnsupportedOperationException();
        }

        public boolean isStuck() {
            throw new UnsupportedOperationException();
        }

        public boolean isPending() {
            throw new UnsupportedOperationException();
        }
    }

    public static final class LeftItem extends Queue.Item {
        public final WorkUnitContext outcome = null;

        public LeftItem(Queue.Item cancelled) {
            throw new UnsupportedOperationException();
        }

        public LeftItem(WorkUnitContext wuc) {
            throw new UnsupportedOperationException();
        }

        public Queue.Executable getExecutable() {
            throw new UnsupportedOperationException();
        }

        public boolean isCancelled() {
            throw new UnsupportedOperationException();
        }

        public CauseOfBlockage getCauseOfBlockage() {
            throw new UnsupportedOperationException();
        }
    }

    public interface QueueAction extends Action {
        boolean shouldSchedule(List<Action> list);
    }

    public abstract static class QueueDecisionHandler implements ExtensionPoint {
        public QueueDecisionHandler() {
            throw new UnsupportedOperationException();
        }

        public static ExtensionList<Queue.QueueDecisionHandler> all() {
            throw new UnsupportedOperationException();
        }

        public abstract boolean shouldSchedule(Queue.Task task, List<Action> list);
    }

    public static final class State {
        public List<Queue.Item> items;

        public Map<String, Object> properties;

        public State() {
            throw new UnsupportedOperationException();
        }
    }
}
