package org.jenkins.plugins.lockableresources.queue;

import java.io.Serializable;

@SuppressWarnings("serial")
public class LockableResourcesStruct implements Serializable {
    LockableResourcesStruct() {
        throw new UnsupportedOperationException();
    }
}
