package jenkins.slaves;

import hudson.util.VersionNumber;

public class RemotingVersionInfo {
    RemotingVersionInfo() {}

    public static VersionNumber getMinimumSupportedVersion() {
        throw new UnsupportedOperationException();
    }
}
