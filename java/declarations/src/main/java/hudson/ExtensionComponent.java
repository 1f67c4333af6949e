package hudson;

public class ExtensionComponent<T> implements Comparable<ExtensionComponent<T>> {
    ExtensionComponent() {}

    public T getInstance() {
        throw new UnsupportedOperationException();
    }

    public double ordinal() {
        throw new UnsupportedOperationException();
    }

    public int compareTo(ExtensionComponent<T> that) {
        throw new UnsupportedOperationException();
    }
}
