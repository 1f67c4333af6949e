package hudson.slaves;

import hudson.ExtensionPoint;
import hudson.model.Actionable;
import hudson.model.Describable;
import hudson.model.Label;
import hudson.security.AccessControlled;
import java.util.Collection;

public abstract class Cloud extends Actionable
        implements ExtensionPoint, Describable<Cloud>, AccessControlled {
    public String name;

    protected Cloud(String text) {
        super();
        throw new UnsupportedOperationException();
    }

    public String getDisplayName() {
        throw new UnsupportedOperationException();
    }

    public boolean canProvision(Cloud.CloudState cloudState) {
        throw new UnsupportedOperationException();
    }

    public Collection<NodeProvisioner.PlannedNode> provision(
            Cloud.CloudState cloudState, int number) {
        throw new UnsupportedOperationException();
    }

    public static final class CloudState {
        public CloudState(Label label, int number) {
            throw new UnsupportedOperationException();
        }

        public Label getLabel() {
            throw new UnsupportedOperationException();
        }
    }
}
