package hudson.model;

import hudson.ExtensionPoint;
import java.io.IOException;

public abstract class RestartListener implements ExtensionPoint {
    public RestartListener() {
        throw new UnsupportedOperationException();
    }

    public abstract boolean isReadyToRestart() throws IOException, InterruptedException;
}
