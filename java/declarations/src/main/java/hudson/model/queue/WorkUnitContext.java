package hudson.model.queue;

import hudson.model.Action;
import hudson.model.Queue;
import java.util.List;

public final class WorkUnitContext {
    public final Queue.BuildableItem item = null;

    public final Queue.Task task = null;

    public final FutureImpl future = null;

    public final List<Action> actions = null;

    public WorkUnitContext(Queue.BuildableItem item) {
        throw new UnsupportedOperationException();
    }

    public WorkUnit createWorkUnit(SubTask execUnit) {
        throw new UnsupportedOperationException();
    }

    public WorkUnit getPrimaryWorkUnit() {
        throw new UnsupportedOperationException();
    }

    public List<WorkUnit> getWorkUnits() {
        throw new UnsupportedOperationException();
    }
}
