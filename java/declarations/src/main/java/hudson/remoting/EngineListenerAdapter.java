package hudson.remoting;

public abstract class EngineListenerAdapter implements EngineListener {
    public EngineListenerAdapter() {
        throw new UnsupportedOperationException();
    }
}
