package hudson.triggers;

import hudson.ExtensionPoint;
import hudson.model.Describable;
import hudson.model.Item;
import hudson.model.PeriodicWork;
import java.util.Calendar;

public abstract class Trigger<J extends Item> implements Describable<Trigger<?>>, ExtensionPoint {
    Trigger() {}

    public static void checkTriggers(Calendar cal) {
        throw new UnsupportedOperationException();
    }

    public void start(J project, boolean newInstance) {
        throw new UnsupportedOperationException();
    }

    public void stop() {
        throw new UnsupportedOperationException();
    }

    public static class Cron extends PeriodicWork {
        public Cron() {
            throw new UnsupportedOperationException();
        }

        public long getRecurrencePeriod() {
            throw new UnsupportedOperationException();
        }

        public void doRun() {
            throw new UnsupportedOperationException();
        }

        public long getInitialDelay() {
            throw new UnsupportedOperationException();
        }
    }
}
