package jenkins.model;

import hudson.ExtensionPoint;
import hudson.model.Node;
import java.util.List;

public abstract class NodeListener implements ExtensionPoint {
    public NodeListener() {
        throw new UnsupportedOperationException();
    }

    protected void onCreated(Node node) {
        throw new UnsupportedOperationException();
    }

    protected void onUpdated(Node oldOne, Node newOne) {
        throw new UnsupportedOperationException();
    }

    protected void onDeleted(Node node) {
        throw new UnsupportedOperationException();
    }

    protected boolean allowLoad(Node node) {
        throw new UnsupportedOperationException();
    }

    public static List<NodeListener> all() {
        throw new UnsupportedOperationException();
    }
}
