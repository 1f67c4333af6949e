package hudson.model.queue;

import hudson.model.Label;
import hudson.model.Queue;
import java.io.IOException;
import jenkins.model.FullyNamedModelObject;

public interface SubTask extends FullyNamedModelObject {
    default Label getAssignedLabel() {
        throw new UnsupportedOperationException();
    }

    Queue.Executable createExecutable() throws IOException;

    default Queue.Task getOwnerTask() {
        throw new UnsupportedOperationException();
    }

    default long getEstimatedDuration() {
        throw new UnsupportedOperationException();
    }

    default Object getSameNodeConstraint() {
        throw new UnsupportedOperationException();
    }
}
