package io.jenkins.plugins.ha.extensions;

import hudson.model.InvisibleAction;

/**
 * An action with which a build cannot be saved, by a defect of its plugin, while {@code save} is
 * {@code fails}. A test gives it to a build.
 */
public final class StubbornAction extends InvisibleAction {
    private Object writeReplace() {
        if (Switches.is("save", "fails")) {
            throw new IllegalStateException("a defect of the plugin of StubbornAction");
        }
        return this;
    }
}
