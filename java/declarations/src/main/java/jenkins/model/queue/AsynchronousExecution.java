package jenkins.model.queue;

@SuppressWarnings("serial")
public abstract class AsynchronousExecution extends RuntimeException {
    AsynchronousExecution() {}

    public final synchronized void completed(Throwable error) {
        throw new UnsupportedOperationException();
    }
}
