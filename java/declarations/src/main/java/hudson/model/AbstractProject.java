package hudson.model;

import hudson.model.queue.QueueTaskFuture;
import hudson.triggers.Trigger;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import jenkins.model.ParameterizedJobMixIn;
import jenkins.model.lazy.LazyBuildMixIn;

@SuppressWarnings("rawtypes")
public abstract class AbstractProject<
                P extends AbstractProject<P, R>, R extends AbstractBuild<P, R>>
        extends Job<P, R>
        implements LazyBuildMixIn.LazyLoadingJob<P, R>,
                ParameterizedJobMixIn.ParameterizedJob<P, R> {
    AbstractProject() {}

    public boolean isConcurrentBuild() {
        throw new UnsupportedOperationException();
    }

    public boolean isDisabled() {
        throw new UnsupportedOperationException();
    }

    public Label getAssignedLabel() {
        throw new UnsupportedOperationException();
    }

    public int getQuietPeriod() {
        throw new UnsupportedOperationException();
    }

    public QueueTaskFuture<R> scheduleBuild2(int quietPeriod) {
        throw new UnsupportedOperationException();
    }

    public QueueTaskFuture<R> scheduleBuild2(int quietPeriod, Action... actions) {
        throw new UnsupportedOperationException();
    }

    public QueueTaskFuture<R> scheduleBuild2(int quietPeriod, Cause cause) {
        throw new UnsupportedOperationException();
    }

    public QueueTaskFuture<R> scheduleBuild2(int quietPeriod, Cause cause, Action... actions) {
        throw new UnsupportedOperationException();
    }

    public QueueTaskFuture<R> scheduleBuild2(
            int quietPeriod, Cause cause, Collection<? extends Action> actions) {
        throw new UnsupportedOperationException();
    }

    public boolean isBuildable() {
        throw new UnsupportedOperationException();
    }

    public R getBuildByNumber(int number) {
        throw new UnsupportedOperationException();
    }

    public R getLastBuild() {
        throw new UnsupportedOperationException();
    }

    public LazyBuildMixIn<P, R> getLazyBuildMixIn() {
        throw new UnsupportedOperationException();
    }

    public Map<?, Trigger<?>> getTriggers() {
        throw new UnsupportedOperationException();
    }

    public final List<AbstractProject> getUpstreamProjects() {
        throw new UnsupportedOperationException();
    }

    public final List<AbstractProject> getDownstreamProjects() {
        throw new UnsupportedOperationException();
    }
}
