package org.jenkins.plugins.lockableresources.queue;

import hudson.model.Run;
import java.io.PrintStream;
import java.io.Serializable;
import java.util.List;
import org.jenkinsci.plugins.workflow.steps.StepContext;

@SuppressWarnings("serial")
public class QueuedContextStruct implements Serializable {
    public QueuedContextStruct(
            StepContext context,
            List<LockableResourcesStruct> lockableResourcesStruct,
            String resourceDescription,
            String variableName,
            int priority) {
        throw new UnsupportedOperationException();
    }

    public int getPriority() {
        throw new UnsupportedOperationException();
    }

    public String getId() {
        throw new UnsupportedOperationException();
    }

    public StepContext getContext() {
        throw new UnsupportedOperationException();
    }

    public Run<?, ?> getBuild() {
        throw new UnsupportedOperationException();
    }

    public boolean isValid() {
        throw new UnsupportedOperationException();
    }

    public List<LockableResourcesStruct> getResources() {
        throw new UnsupportedOperationException();
    }

    public String getResourceDescription() {
        throw new UnsupportedOperationException();
    }

    public String getVariableName() {
        throw new UnsupportedOperationException();
    }

    public PrintStream getLogger() {
        throw new UnsupportedOperationException();
    }
}
