package hudson.model;

import hudson.slaves.Cloud;
import hudson.slaves.NodeProvisioner;
import java.util.Collection;
import java.util.Set;

public abstract class Label extends Actionable {
    public final NodeProvisioner nodeProvisioner = null;

    protected Label(String name) {
        throw new UnsupportedOperationException();
    }

    public static Label parseExpression(String labelExpression) {
        throw new UnsupportedOperationException();
    }

    public static Label get(String name) {
        throw new UnsupportedOperationException();
    }

    public final String getName() {
        throw new UnsupportedOperationException();
    }

    public String getDisplayName() {
        throw new UnsupportedOperationException();
    }

    public abstract String getExpression();

    public final boolean matches(Node node) {
        throw new UnsupportedOperationException();
    }

    public final boolean matches(Collection<?> labels) {
        throw new UnsupportedOperationException();
    }

    public boolean isAssignable() {
        throw new UnsupportedOperationException();
    }

    public boolean isEmpty() {
        throw new UnsupportedOperationException();
    }

    public boolean isOffline() {
        throw new UnsupportedOperationException();
    }

    public boolean isSelfLabel() {
        throw new UnsupportedOperationException();
    }

    public Set<Node> getNodes() {
        throw new UnsupportedOperationException();
    }

    public Set<Cloud> getClouds() {
        throw new UnsupportedOperationException();
    }

    public int getIdleExecutors() {
        throw new UnsupportedOperationException();
    }

    public int getBusyExecutors() {
        throw new UnsupportedOperationException();
    }

    public int getTotalExecutors() {
        throw new UnsupportedOperationException();
    }

    public int getTotalConfiguredExecutors() {
        throw new UnsupportedOperationException();
    }

    public boolean contains(Node node) {
        throw new UnsupportedOperationException();
    }
}
