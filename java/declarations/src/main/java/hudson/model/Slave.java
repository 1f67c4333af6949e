package hudson.model;

import hudson.slaves.ComputerLauncher;
import java.io.IOException;
import java.io.Serializable;

@SuppressWarnings("serial")
public abstract class Slave extends Node implements Serializable {
    protected Slave(String name, String remoteFS, ComputerLauncher launcher)
            throws Descriptor.FormException, IOException {
        throw new UnsupportedOperationException();
    }
}
