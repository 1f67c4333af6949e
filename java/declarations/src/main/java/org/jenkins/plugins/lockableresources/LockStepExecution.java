package org.jenkins.plugins.lockableresources;

import java.util.LinkedHashMap;
import java.util.List;
import org.jenkinsci.plugins.workflow.steps.StepContext;
import org.jenkinsci.plugins.workflow.steps.StepExecution;

@SuppressWarnings("serial")
public class LockStepExecution extends StepExecution {
    LockStepExecution() {
        super(null);
        throw new UnsupportedOperationException();
    }

    @Override
    public boolean start() throws Exception {
        throw new UnsupportedOperationException();
    }

    public static void proceed(
            LinkedHashMap<String, List<LockableResourceProperty>> lockedResources,
            StepContext context,
            String resourceDescription,
            String variable) {
        throw new UnsupportedOperationException();
    }
}
