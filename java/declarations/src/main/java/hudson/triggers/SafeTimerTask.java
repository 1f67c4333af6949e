package hudson.triggers;

import java.util.TimerTask;

public abstract class SafeTimerTask extends TimerTask {
    public SafeTimerTask() {
        throw new UnsupportedOperationException();
    }

    protected abstract void doRun() throws Exception;

    public final void run() {
        throw new UnsupportedOperationException();
    }
}
