package hudson.model.queue;

import hudson.model.TaskListener;

public abstract class CauseOfBlockage {
    public CauseOfBlockage() {
        throw new UnsupportedOperationException();
    }

    public abstract String getShortDescription();

    public void print(TaskListener listener) {
        throw new UnsupportedOperationException();
    }
}
