package hudson.remoting;

public interface EngineListener {
    default void onDisconnect() {
        throw new UnsupportedOperationException();
    }
}
