package hudson.slaves;

import hudson.ExtensionPoint;
import hudson.model.Actionable;
import hudson.model.Describable;
import hudson.model.Label;
import hudson.security.ACL;
import hudson.security.AccessControlled;
import java.util.Collection;

public abstract class Cloud extends Actionable
        implements ExtensionPoint, Describable<Cloud>, AccessControlled {
    public String name;

    protected Cloud(String name) {
        throw new UnsupportedOperationException();
    }

    public String getDisplayName() {
        throw new UnsupportedOperationException();
    }

    public String getUrl() {
        throw new UnsupportedOperationException();
    }

    public ACL getACL() {
        throw new UnsupportedOperationException();
    }

    public boolean canProvision(Cloud.CloudState state) {
        throw new UnsupportedOperationException();
    }

    public Collection<NodeProvisioner.PlannedNode> provision(
            Cloud.CloudState state, int excessWorkload) {
        throw new UnsupportedOperationException();
    }

    public static final class CloudState {
        public CloudState(Label label, int additionalPlannedCapacity) {
            throw new UnsupportedOperationException();
        }

        public Label getLabel() {
            throw new UnsupportedOperationException();
        }
    }
}
