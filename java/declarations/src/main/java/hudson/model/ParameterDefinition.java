package hudson.model;

import hudson.ExtensionPoint;
import java.io.Serializable;

@SuppressWarnings("serial")
public abstract class ParameterDefinition
        implements Describable<ParameterDefinition>, ExtensionPoint, Serializable {
    ParameterDefinition() {}

    public String getName() {
        throw new UnsupportedOperationException();
    }

    public String getDescription() {
        throw new UnsupportedOperationException();
    }

    public ParameterValue getDefaultParameterValue() {
        throw new UnsupportedOperationException();
    }
}
