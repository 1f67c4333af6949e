package jenkins.scm;

import hudson.ExtensionPoint;
import hudson.model.Item;

public abstract class SCMDecisionHandler implements ExtensionPoint {
    public abstract boolean shouldPoll(Item item);
}
