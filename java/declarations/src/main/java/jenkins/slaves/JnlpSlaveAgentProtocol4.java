package jenkins.slaves;

import java.io.IOException;
import java.net.Socket;
import jenkins.AgentProtocol;

public class JnlpSlaveAgentProtocol4 extends AgentProtocol {
    JnlpSlaveAgentProtocol4() {}

    @Override
    public String getName() {
        throw new UnsupportedOperationException();
    }

    @Override
    public void handle(Socket socket) throws IOException, InterruptedException {
        throw new UnsupportedOperationException();
    }
}
