package hudson.util;

import hudson.model.Describable;
import hudson.model.Descriptor;
import hudson.model.Saveable;
import java.util.Collection;

public class DescribableList<T extends Describable<T>, D extends Descriptor<T>>
        extends PersistedList<T> {
    protected DescribableList() {
        super();
        throw new UnsupportedOperationException();
    }

    public DescribableList(Saveable saveable) {
        super();
        throw new UnsupportedOperationException();
    }

    public DescribableList(Saveable saveable, Collection<? extends T> collection) {
        super();
        throw new UnsupportedOperationException();
    }
}
