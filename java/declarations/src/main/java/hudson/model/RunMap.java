package hudson.model;

import java.io.File;
import java.io.IOException;
import java.util.Iterator;
import jenkins.model.lazy.AbstractLazyLoadRunMap;

public final class RunMap<R extends Run<?, R>> extends AbstractLazyLoadRunMap<R>
        implements Iterable<R> {
    public RunMap(Job<?, ?> job) {
        throw new UnsupportedOperationException();
    }

    public R getById(String id) {
        throw new UnsupportedOperationException();
    }

    protected R retrieve(File file) throws IOException {
        throw new UnsupportedOperationException();
    }

    protected int getNumberOf(R run) {
        throw new UnsupportedOperationException();
    }

    protected String getIdOf(R run) {
        throw new UnsupportedOperationException();
    }

    public Iterator<R> iterator() {
        throw new UnsupportedOperationException();
    }

    public R put(R run) {
        throw new UnsupportedOperationException();
    }

    protected Class<R> getBuildClass() {
        throw new UnsupportedOperationException();
    }
}
