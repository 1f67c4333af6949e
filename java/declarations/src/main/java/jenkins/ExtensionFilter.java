package jenkins;

import hudson.ExtensionComponent;
import hudson.ExtensionList;
import hudson.ExtensionPoint;

public abstract class ExtensionFilter implements ExtensionPoint {
    public ExtensionFilter() {
        throw new UnsupportedOperationException();
    }

    public abstract <T> boolean allows(Class<T> type, ExtensionComponent<T> extensionComponent);

    public static ExtensionList<ExtensionFilter> all() {
        throw new UnsupportedOperationException();
    }
}
