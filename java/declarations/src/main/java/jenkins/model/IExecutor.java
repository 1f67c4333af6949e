package jenkins.model;

import hudson.model.Queue;
import hudson.model.queue.WorkUnit;
import jenkins.model.queue.ITask;

public interface IExecutor {
    boolean isIdle();

    IComputer getOwner();

    Queue.Executable getCurrentExecutable();

    WorkUnit getCurrentWorkUnit();

    String getDisplayName();

    default ITask getParentTask() {
        throw new UnsupportedOperationException();
    }

    boolean hasStopPermission();

    int getNumber();

    long getElapsedTime();

    String getEstimatedRemainingTime();

    boolean isLikelyStuck();

    int getProgress();
}
