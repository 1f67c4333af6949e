package jenkins.slaves;

import hudson.ExtensionPoint;
import jenkins.security.HMACConfidentialKey;
import org.jenkinsci.remoting.engine.JnlpConnectionStateListener;

public abstract class JnlpAgentReceiver extends JnlpConnectionStateListener
        implements ExtensionPoint {
    public static final HMACConfidentialKey SLAVE_SECRET = null;

    JnlpAgentReceiver() {}

    public static boolean exists(String clientName) {
        throw new UnsupportedOperationException();
    }

    public static String generateCookie() {
        throw new UnsupportedOperationException();
    }
}
