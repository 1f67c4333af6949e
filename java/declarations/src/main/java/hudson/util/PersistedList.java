package hudson.util;

import hudson.model.Saveable;
import java.util.AbstractList;
import java.util.Collection;
import java.util.Iterator;

public class PersistedList<T> extends AbstractList<T> {
    protected PersistedList() {
        throw new UnsupportedOperationException();
    }

    protected PersistedList(Collection<? extends T> initialList) {
        throw new UnsupportedOperationException();
    }

    public PersistedList(Saveable owner) {
        throw new UnsupportedOperationException();
    }

    public void setOwner(Saveable owner) {
        throw new UnsupportedOperationException();
    }

    public T get(int index) {
        throw new UnsupportedOperationException();
    }

    public <U extends T> U get(Class<U> type) {
        throw new UnsupportedOperationException();
    }

    public int size() {
        throw new UnsupportedOperationException();
    }

    public Iterator<T> iterator() {
        throw new UnsupportedOperationException();
    }
}
