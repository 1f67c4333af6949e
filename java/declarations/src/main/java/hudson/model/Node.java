package hudson.model;

import hudson.ExtensionPoint;
import hudson.FilePath;
import hudson.model.queue.CauseOfBlockage;
import hudson.security.ACL;
import hudson.security.AccessControlled;
import java.io.File;
import java.io.IOException;
import java.util.Set;

public abstract class Node
        implements Describable<Node>,
                ExtensionPoint,
                AccessControlled,
                PersistenceRoot,
                ModelObject {
    public Node() {
        throw new UnsupportedOperationException();
    }

    @Override
    public ACL getACL() {
        throw new UnsupportedOperationException();
    }

    @Override
    public File getRootDir() {
        throw new UnsupportedOperationException();
    }

    @Override
    public void save() throws IOException {
        throw new UnsupportedOperationException();
    }

    public abstract FilePath getRootPath();

    public abstract FilePath getWorkspaceFor(TopLevelItem topLevelItem);

    public Set<?> getAssignedLabels() {
        throw new UnsupportedOperationException();
    }

    public abstract String getNodeName();

    public String getDisplayName() {
        throw new UnsupportedOperationException();
    }

    public boolean isHoldOffLaunchUntilSave() {
        throw new UnsupportedOperationException();
    }

    public abstract int getNumExecutors();

    public final Computer toComputer() {
        throw new UnsupportedOperationException();
    }

    protected abstract Computer createComputer();

    public abstract Node.Mode getMode();

    public abstract String getLabelString();

    public CauseOfBlockage canTake(Queue.BuildableItem item) {
        throw new UnsupportedOperationException();
    }

    public boolean isAcceptingTasks() {
        throw new UnsupportedOperationException();
    }

    public enum Mode {
        NORMAL,
        EXCLUSIVE
    }
}
