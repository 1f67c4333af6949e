package jenkins.model.lazy;

import java.io.File;
import java.io.IOException;
import java.util.AbstractMap;
import java.util.Comparator;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;

public abstract class AbstractLazyLoadRunMap<R> extends AbstractMap<Integer, R>
        implements SortedMap<Integer, R> {
    protected AbstractLazyLoadRunMap() {
        throw new UnsupportedOperationException();
    }

    public final void recognizeNumber(int buildNumber) {
        throw new UnsupportedOperationException();
    }

    public boolean runExists(int number) {
        throw new UnsupportedOperationException();
    }

    public int maxNumberOnDisk() {
        throw new UnsupportedOperationException();
    }

    public SortedMap<Integer, R> getLoadedBuilds() {
        throw new UnsupportedOperationException();
    }

    public final void updateBaseDir(File dir) {
        throw new UnsupportedOperationException();
    }

    public R getByNumber(int number) {
        throw new UnsupportedOperationException();
    }

    public R newestBuild() {
        throw new UnsupportedOperationException();
    }

    public void purgeCache() {
        throw new UnsupportedOperationException();
    }

    public Comparator<? super Integer> comparator() {
        throw new UnsupportedOperationException();
    }

    public SortedMap<Integer, R> subMap(Integer fromKey, Integer toKey) {
        throw new UnsupportedOperationException();
    }

    public SortedMap<Integer, R> headMap(Integer toKey) {
        throw new UnsupportedOperationException();
    }

    public SortedMap<Integer, R> tailMap(Integer fromKey) {
        throw new UnsupportedOperationException();
    }

    public Integer firstKey() {
        throw new UnsupportedOperationException();
    }

    public Integer lastKey() {
        throw new UnsupportedOperationException();
    }

    public Set<Map.Entry<Integer, R>> entrySet() {
        throw new UnsupportedOperationException();
    }

    protected abstract Class<R> getBuildClass();

    protected abstract int getNumberOf(R value);

    protected abstract R retrieve(File file) throws IOException;
}
