package org.jenkinsci.plugins.workflow.steps;

import java.io.IOException;
import java.io.Serializable;

@SuppressWarnings("serial")
public abstract class StepContext implements Serializable {
    StepContext() {
        throw new UnsupportedOperationException();
    }

    public abstract <T> T get(Class<T> key) throws IOException, InterruptedException;
}
