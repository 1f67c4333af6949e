package hudson.model;

import jenkins.model.lazy.LazyBuildMixIn;

public abstract class AbstractBuild<P extends AbstractProject<P, R>, R extends AbstractBuild<P, R>>
        extends Run<P, R> implements Queue.Executable, LazyBuildMixIn.LazyLoadingRun<P, R> {
    AbstractBuild() {}

    public final P getProject() {
        throw new UnsupportedOperationException();
    }

    public Node getBuiltOn() {
        throw new UnsupportedOperationException();
    }

    public String getBuiltOnStr() {
        throw new UnsupportedOperationException();
    }
}
