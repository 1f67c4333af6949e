package jenkins.slaves;

import hudson.ExtensionPoint;
import jenkins.security.HMACConfidentialKey;

public abstract class JnlpAgentReceiver implements ExtensionPoint {
    public static final HMACConfidentialKey SLAVE_SECRET = null;

    JnlpAgentReceiver() {}
}
