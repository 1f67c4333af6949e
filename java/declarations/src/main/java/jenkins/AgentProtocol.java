package jenkins;

import hudson.ExtensionPoint;
import java.io.IOException;
import java.net.Socket;

public abstract class AgentProtocol implements ExtensionPoint {
    public AgentProtocol() {
        throw new UnsupportedOperationException();
    }

    public abstract String getName();

    public abstract void handle(Socket socket) throws IOException, InterruptedException;
}
