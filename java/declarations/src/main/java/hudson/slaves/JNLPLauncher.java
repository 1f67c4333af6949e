package hudson.slaves;

public class JNLPLauncher extends ComputerLauncher {
    public JNLPLauncher() {
        throw new UnsupportedOperationException();
    }

    public boolean isWebSocket() {
        throw new UnsupportedOperationException();
    }
}
