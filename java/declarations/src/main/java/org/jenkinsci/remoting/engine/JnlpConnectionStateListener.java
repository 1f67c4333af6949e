package org.jenkinsci.remoting.engine;

public abstract class JnlpConnectionStateListener {
    protected JnlpConnectionStateListener() {}
}
