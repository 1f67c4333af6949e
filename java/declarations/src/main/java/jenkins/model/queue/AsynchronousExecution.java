package jenkins.model.queue;

@SuppressWarnings("serial")
public abstract class AsynchronousExecution extends RuntimeException {
    AsynchronousExecution() {}
}
