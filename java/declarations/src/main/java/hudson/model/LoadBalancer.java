package hudson.model;

import hudson.ExtensionPoint;

public abstract class LoadBalancer implements ExtensionPoint {
    public static final LoadBalancer CONSISTENT_HASH = null;

    LoadBalancer() {}
}
