package io.jenkins.plugins.ha.extensions;

import hudson.model.ParameterValue;
import java.io.File;

/** A parameter that holds a file of the controller that was asked, as parameters of plugins do. */
public final class FileHeld extends ParameterValue {
    private static final long serialVersionUID = 1L;

    private final File file;

    public FileHeld(String name, File file) {
        super(name);
        this.file = file;
    }

    @Override
    public Object getValue() {
        return file;
    }
}
