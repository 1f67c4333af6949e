package hudson.triggers;

import hudson.model.BuildableItem;
import hudson.model.Cause;

public class TimerTrigger extends Trigger<BuildableItem> {
    TimerTrigger() {}

    public static class TimerTriggerCause extends Cause {
        public TimerTriggerCause() {
            throw new UnsupportedOperationException();
        }

        public String getShortDescription() {
            throw new UnsupportedOperationException();
        }
    }
}
