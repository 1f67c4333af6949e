package hudson.model.queue;

import hudson.model.Queue;
import hudson.remoting.AsyncFutureImpl;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;

public final class FutureImpl extends AsyncFutureImpl<Queue.Executable>
        implements QueueTaskFuture<Queue.Executable> {
    public FutureImpl(Queue.Task task) {
        throw new UnsupportedOperationException();
    }

    public void setAsCancelled() {
        throw new UnsupportedOperationException();
    }

    public Future<Queue.Executable> getStartCondition() {
        throw new UnsupportedOperationException();
    }

    public Queue.Executable waitForStart() throws InterruptedException, ExecutionException {
        throw new UnsupportedOperationException();
    }
}
