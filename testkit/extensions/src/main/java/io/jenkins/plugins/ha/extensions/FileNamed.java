package io.jenkins.plugins.ha.extensions;

import hudson.model.ParameterValue;
import java.util.HashMap;

/** A parameter that knows a file of the controller that was asked by its name, deep inside. */
public final class FileNamed extends ParameterValue {
    private static final long serialVersionUID = 1L;

    private final HashMap<String, String> stashed = new HashMap<>();

    public FileNamed(String name, String path) {
        super(name);
        stashed.put("at", path);
    }

    @Override
    public Object getValue() {
        return stashed;
    }
}
