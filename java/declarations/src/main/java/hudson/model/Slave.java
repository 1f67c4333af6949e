package hudson.model;

import hudson.FilePath;
import hudson.slaves.ComputerLauncher;
import hudson.slaves.RetentionStrategy;
import java.io.IOException;
import java.io.Serializable;

@SuppressWarnings("serial")
public abstract class Slave extends Node implements Serializable {
    public abstract static class SlaveDescriptor extends Descriptor<Node> {
        public SlaveDescriptor() {
            throw new UnsupportedOperationException();
        }
    }

    protected Slave(String name, String remoteFS, ComputerLauncher launcher)
            throws Descriptor.FormException, IOException {
        throw new UnsupportedOperationException();
    }

    @Override
    public FilePath getRootPath() {
        throw new UnsupportedOperationException();
    }

    @Override
    public FilePath getWorkspaceFor(TopLevelItem topLevelItem) {
        throw new UnsupportedOperationException();
    }

    @Override
    public String getNodeName() {
        throw new UnsupportedOperationException();
    }

    @Override
    public int getNumExecutors() {
        throw new UnsupportedOperationException();
    }

    @Override
    public Node.Mode getMode() {
        throw new UnsupportedOperationException();
    }

    @Override
    public String getLabelString() {
        throw new UnsupportedOperationException();
    }

    public void setNumExecutors(int n) {
        throw new UnsupportedOperationException();
    }

    public void setMode(Node.Mode mode) {
        throw new UnsupportedOperationException();
    }

    @SuppressWarnings("rawtypes")
    public void setRetentionStrategy(RetentionStrategy availabilityStrategy) {
        throw new UnsupportedOperationException();
    }

    public void setLabelString(String labelString) throws IOException {
        throw new UnsupportedOperationException();
    }
}
