package jenkins.model;

import hudson.model.ModelObject;

public interface IDisplayExecutor extends ModelObject {
    String getUrl();

    IExecutor getExecutor();
}
