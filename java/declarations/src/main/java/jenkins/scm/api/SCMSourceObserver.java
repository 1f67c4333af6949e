package jenkins.scm.api;

import java.io.IOException;

public abstract class SCMSourceObserver {
    public abstract ProjectObserver observe(String projectName)
            throws IllegalArgumentException, IOException, InterruptedException;

    public abstract static class ProjectObserver {
        public abstract void addSource(SCMSource source);

        public abstract void complete()
                throws IllegalStateException, IOException, InterruptedException;
    }
}
