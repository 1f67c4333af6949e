package io.jenkins.plugins.ha.triggers;

import hudson.Extension;
import hudson.ExtensionComponent;
import hudson.model.PeriodicWork;
import hudson.triggers.Trigger;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.bridge.HaException;
import java.util.Calendar;
import java.util.GregorianCalendar;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;
import jenkins.ExtensionFilter;

/**
 * Core's clock for everything that is triggered by time (cron, SCM polling, branch indexing), once
 * per cluster and minute: each controller asks for each minute, by Redis' clock, and the first one
 * does it. Minutes that nobody could do, because Redis was away or a controller was just dying, are
 * made up for, five at the most.
 */
@Extension
public final class ClusterCron extends PeriodicWork {
    private static final Logger LOGGER = Logger.getLogger(ClusterCron.class.getName());
    private static final long MINUTE_MILLIS = 60_000;
    private static final int MAKE_UP = 5;
    private static final long REMEMBERED_MILLIS = TimeUnit.HOURS.toMillis(1);

    private long last = -1;

    @Override
    public long getRecurrencePeriod() {
        return MINUTE_MILLIS;
    }

    /** At the full minute, as core's. */
    @Override
    public long getInitialDelay() {
        return MINUTE_MILLIS
                - TimeUnit.SECONDS.toMillis(new GregorianCalendar().get(Calendar.SECOND));
    }

    @Override
    protected void doRun() {
        Membership membership = Membership.active().orElse(null);
        if (membership == null || !membership.link().joined()) {
            return;
        }
        long now = TimeUnit.MILLISECONDS.toMinutes(membership.cluster().clockMillis());
        long from = last < 0 ? now : Math.max(last + 1, now - MAKE_UP);
        for (long minute = from; minute <= now; minute++) {
            try {
                if (membership.cluster().first("minute:" + minute, REMEMBERED_MILLIS)) {
                    Calendar calendar = new GregorianCalendar();
                    calendar.setTimeInMillis(TimeUnit.MINUTES.toMillis(minute));
                    Trigger.checkTriggers(calendar);
                }
                last = minute;
            } catch (HaException e) {
                LOGGER.log(
                        Level.FINE,
                        "Triggers of this minute are made up for when Redis is back: {0}",
                        e.getMessage());
                return;
            }
        }
    }

    /**
     * Core's own clock is left out where this one runs; on a plain Jenkins it is this one that does
     * nothing.
     */
    @Extension
    public static final class Filter extends ExtensionFilter {
        @Override
        public <T> boolean allows(Class<T> type, ExtensionComponent<T> component) {
            return Membership.active().isEmpty()
                    || !(component.getInstance() instanceof Trigger.Cron);
        }
    }
}
