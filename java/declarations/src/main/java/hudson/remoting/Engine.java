package hudson.remoting;

public class Engine extends Thread {
    Engine() {}

    public static Engine current() {
        throw new UnsupportedOperationException();
    }

    public void addListener(EngineListener el) {
        throw new UnsupportedOperationException();
    }

    public String getProtocolName() {
        throw new UnsupportedOperationException();
    }
}
