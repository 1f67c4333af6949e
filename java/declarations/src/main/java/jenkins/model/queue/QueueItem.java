package jenkins.model.queue;

import hudson.model.Queue;
import jenkins.model.FullyNamedModelObject;

public interface QueueItem extends FullyNamedModelObject {
    default String getDisplayName() {
        throw new UnsupportedOperationException();
    }

    default String getFullDisplayName() {
        throw new UnsupportedOperationException();
    }

    default boolean hasCancelPermission() {
        throw new UnsupportedOperationException();
    }

    boolean isStuck();

    Queue.Task getTask();

    String getCausesDescription();

    String getInQueueForString();

    String getParams();

    String getWhy();

    long getId();
}
