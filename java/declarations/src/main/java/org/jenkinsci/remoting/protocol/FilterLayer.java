package org.jenkinsci.remoting.protocol;

public abstract class FilterLayer {
    protected FilterLayer() {}
}
