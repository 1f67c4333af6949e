package org.jenkins.plugins.lockableresources;

import hudson.model.Run;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.logging.Logger;
import jenkins.model.GlobalConfiguration;
import net.sf.json.JSONObject;
import org.jenkins.plugins.lockableresources.queue.LockableResourcesStruct;
import org.jenkins.plugins.lockableresources.queue.QueuedContextStruct;
import org.jenkinsci.plugins.workflow.steps.StepContext;
import org.kohsuke.stapler.StaplerRequest2;

public class LockableResourcesManager extends GlobalConfiguration {
    public static final Object syncResources = new Object();

    public LockableResourcesManager() {
        throw new UnsupportedOperationException();
    }

    public void setAllowEmptyOrNullValues(boolean allowEmptyOrNullValues) {
        throw new UnsupportedOperationException();
    }

    public boolean isAllowEmptyOrNullValues() {
        throw new UnsupportedOperationException();
    }

    public List<LockableResource> getResources() {
        throw new UnsupportedOperationException();
    }

    public void setDeclaredResources(List<LockableResource> declaredResources) {
        throw new UnsupportedOperationException();
    }

    public LockableResource fromName(String resourceName) {
        throw new UnsupportedOperationException();
    }

    public List<LockableResource> fromNames(List<String> names, boolean createResource) {
        throw new UnsupportedOperationException();
    }

    public boolean queue(
            List<LockableResource> resources, long queueItemId, String queueProjectName) {
        throw new UnsupportedOperationException();
    }

    public List<LockableResource> tryQueue(
            LockableResourcesStruct requiredResources,
            long queueItemId,
            String queueItemProject,
            int number,
            Map<String, Object> params,
            Logger log)
            throws ExecutionException {
        throw new UnsupportedOperationException();
    }

    public boolean lock(List<LockableResource> resourcesToLock, Run<?, ?> build) {
        throw new UnsupportedOperationException();
    }

    public void unlockBuild(Run<?, ?> build) {
        throw new UnsupportedOperationException();
    }

    public void unlockNames(List<String> resourceNamesToUnLock, Run<?, ?> build) {
        throw new UnsupportedOperationException();
    }

    public void unlockResources(List<LockableResource> resourcesToUnLock, Run<?, ?> build) {
        throw new UnsupportedOperationException();
    }

    public static List<String> getResourcesNames(List<LockableResource> resources) {
        throw new UnsupportedOperationException();
    }

    public boolean addResource(LockableResource resource, boolean doSave) {
        throw new UnsupportedOperationException();
    }

    public boolean reserve(List<LockableResource> resources, String userName) {
        throw new UnsupportedOperationException();
    }

    public boolean steal(List<LockableResource> resources, String userName) {
        throw new UnsupportedOperationException();
    }

    public void reassign(List<LockableResource> resources, String userName) {
        throw new UnsupportedOperationException();
    }

    public void unreserve(List<LockableResource> resources) {
        throw new UnsupportedOperationException();
    }

    public void reset(List<LockableResource> resources) {
        throw new UnsupportedOperationException();
    }

    public void recycle(List<LockableResource> resources) {
        throw new UnsupportedOperationException();
    }

    public void changeQueueOrder(String queueId, int newPosition) throws java.io.IOException {
        throw new UnsupportedOperationException();
    }

    @Override
    public boolean configure(StaplerRequest2 req, JSONObject json) {
        throw new UnsupportedOperationException();
    }

    public List<LockableResource> getAvailableResources(
            List<LockableResourcesStruct> requiredResourcesList) {
        throw new UnsupportedOperationException();
    }

    public List<QueuedContextStruct> getCurrentQueuedContext() {
        throw new UnsupportedOperationException();
    }

    public void queueContext(
            StepContext context,
            List<LockableResourcesStruct> requiredResources,
            String resourceDescription,
            String variableName,
            boolean inversePrecedence,
            int priority) {
        throw new UnsupportedOperationException();
    }

    public boolean unqueueContext(StepContext context) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void save() {
        throw new UnsupportedOperationException();
    }
}
