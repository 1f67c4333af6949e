package jenkins.slaves;

import org.jenkinsci.remoting.protocol.IOHub;

public class IOHubProvider {
    IOHubProvider() {}

    public IOHub getHub() {
        throw new UnsupportedOperationException();
    }
}
