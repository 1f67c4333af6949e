package hudson.model;

import hudson.ExtensionPoint;
import hudson.PermalinkList;
import java.io.File;
import java.io.IOException;
import java.util.Map;
import java.util.SortedMap;

@SuppressWarnings("rawtypes")
public abstract class Job<JobT extends Job<JobT, RunT>, RunT extends Run<JobT, RunT>>
        extends AbstractItem implements ExtensionPoint {
    Job() {}

    public File getBuildDir() {
        throw new UnsupportedOperationException();
    }

    public PermalinkList getPermalinks() {
        throw new UnsupportedOperationException();
    }

    public RunT getLastBuild() {
        throw new UnsupportedOperationException();
    }

    public RunT getLastCompletedBuild() {
        throw new UnsupportedOperationException();
    }

    public RunT getBuildByNumber(int number) {
        throw new UnsupportedOperationException();
    }

    public RunT getBuild(String id) {
        throw new UnsupportedOperationException();
    }

    public int getNextBuildNumber() {
        throw new UnsupportedOperationException();
    }

    public void fastUpdateNextBuildNumber(int nextBuildNumber) {
        throw new UnsupportedOperationException();
    }

    public void updateNextBuildNumber(int next) throws IOException {
        throw new UnsupportedOperationException();
    }

    protected void saveNextBuildNumber() throws IOException {
        throw new UnsupportedOperationException();
    }

    public abstract boolean isBuildable();

    public boolean isBuilding() {
        throw new UnsupportedOperationException();
    }

    public boolean isInQueue() {
        throw new UnsupportedOperationException();
    }

    public boolean isKeepDependencies() {
        throw new UnsupportedOperationException();
    }

    public SortedMap<Integer, RunT> getBuildsAsMap() {
        throw new UnsupportedOperationException();
    }

    public <T extends JobProperty> T getProperty(Class<T> clazz) {
        throw new UnsupportedOperationException();
    }

    public JobProperty getProperty(String className) {
        throw new UnsupportedOperationException();
    }

    public Map<?, JobProperty<? super JobT>> getProperties() {
        throw new UnsupportedOperationException();
    }

    public RunT getNearestBuild(int number) {
        throw new UnsupportedOperationException();
    }

    public interface BuildNumberAssigner extends ExtensionPoint {
        int assignBuildNumber(
                Job<?, ?> job, Job.BuildNumberAssigner.SaveNextBuildNumber saveNextBuildNumber)
                throws IOException;

        interface SaveNextBuildNumber {
            void call() throws IOException;
        }
    }
}
