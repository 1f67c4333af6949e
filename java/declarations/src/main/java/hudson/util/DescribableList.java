package hudson.util;

import hudson.model.Describable;
import hudson.model.Descriptor;
import hudson.model.Saveable;
import java.util.Collection;

public class DescribableList<T extends Describable<T>, D extends Descriptor<T>>
        extends PersistedList<T> {
    protected DescribableList() {
        throw new UnsupportedOperationException();
    }

    public DescribableList(Saveable owner) {
        throw new UnsupportedOperationException();
    }

    public DescribableList(Saveable owner, Collection<? extends T> initialList) {
        throw new UnsupportedOperationException();
    }
}
