package hudson.model;

import hudson.ExtensionPoint;
import java.util.Collection;
import jenkins.model.IComputer;

public final class ComputerSet {
    ComputerSet() {}

    public interface ComputerSource extends ExtensionPoint {
        Collection<? extends IComputer> get();
    }
}
