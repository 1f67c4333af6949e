package hudson.model;

import hudson.ExtensionPoint;
import java.util.Collection;

public final class ComputerSet {
    ComputerSet() {}

    public interface ComputerSource extends ExtensionPoint {
        Collection<?> get();
    }
}
