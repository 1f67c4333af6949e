package io.jenkins.plugins.ha.queue;

import hudson.model.Action;
import hudson.model.Queue;
import hudson.model.queue.ScheduleResult;
import io.jenkins.plugins.ha.linkage.UsesByReflection;
import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.List;
import java.util.Set;

/**
 * The doors to the lists of core's queue that core itself goes through. Its public ones ask the
 * decision handlers and tell the listeners each time; but an item that moves between the cluster
 * and these lists was accepted once, and has not left. Any thread.
 */
@UsesByReflection({
    "field hudson.model.Queue waitingList Ljava/util/Set;",
    "method hudson.model.Queue updateSnapshot ()V",
    "method hudson.model.Queue scheduleInternal"
            + " (Lhudson/model/Queue$Task;ILjava/util/List;)Lhudson/model/queue/ScheduleResult;",
    "method hudson.model.Queue$Item leave (Lhudson/model/Queue;)Z"
})
final class CoreLists {
    private static final Field WAITING;
    private static final Method SNAPSHOT;
    private static final Method SCHEDULE;
    private static final Method LEAVE;

    static {
        try {
            WAITING = Queue.class.getDeclaredField("waitingList");
            SNAPSHOT = Queue.class.getDeclaredMethod("updateSnapshot");
            SCHEDULE =
                    Queue.class.getDeclaredMethod(
                            "scheduleInternal", Queue.Task.class, int.class, List.class);
            LEAVE = Queue.Item.class.getDeclaredMethod("leave", Queue.class);
            WAITING.setAccessible(true);
            SNAPSHOT.setAccessible(true);
            SCHEDULE.setAccessible(true);
            LEAVE.setAccessible(true);
        } catch (NoSuchFieldException | NoSuchMethodException e) {
            // the boot has looked for them, see LinkageCheck
            throw new IllegalStateException("This Jenkins keeps its queue in another way", e);
        }
    }

    private CoreLists() {}

    /** Schedules or folds as core does once the decision handlers have been asked. */
    static ScheduleResult schedule(
            Queue queue, Queue.Task task, int quietPeriod, List<Action> actions) {
        return (ScheduleResult) call(SCHEDULE, queue, task, quietPeriod, actions);
    }

    /** Puts it among what waits, without a word to the listeners. */
    @SuppressWarnings("unchecked") // as core declares it
    static void enter(Queue queue, Queue.WaitingItem item) {
        Queue.withLock(
                () -> {
                    try {
                        ((Set<Queue.WaitingItem>) WAITING.get(queue)).add(item);
                    } catch (IllegalAccessException e) {
                        throw new IllegalStateException(e);
                    }
                    call(SNAPSHOT, queue);
                });
        queue.scheduleMaintenance();
    }

    /**
     * Takes it out of the list in which it is; the listeners hear that it has left that list, not
     * that it has left the queue.
     *
     * @return false when it is in none, or an executor has been given it
     */
    static boolean leave(Queue queue, Queue.Item item) {
        boolean[] left = new boolean[1];
        Queue.withLock(
                () -> {
                    left[0] = (Boolean) call(LEAVE, item, queue);
                    call(SNAPSHOT, queue);
                });
        return left[0];
    }

    private static Object call(Method method, Object on, Object... arguments) {
        try {
            return method.invoke(on, arguments);
        } catch (InvocationTargetException e) {
            if (e.getCause() instanceof RuntimeException cause) {
                throw cause;
            }
            if (e.getCause() instanceof Error cause) {
                throw cause;
            }
            throw new IllegalStateException(e.getCause());
        } catch (IllegalAccessException e) {
            throw new IllegalStateException(e);
        }
    }
}
