package io.jenkins.plugins.ha.triggers;

import hudson.Extension;
import hudson.ExtensionComponent;
import hudson.model.PeriodicWork;
import hudson.triggers.Trigger;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.bridge.Turn;
import java.util.Calendar;
import java.util.GregorianCalendar;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;
import jenkins.ExtensionFilter;

/**
 * Core's clock for everything that is triggered by time (cron, SCM polling, branch indexing), once
 * per cluster and minute: each controller asks for each minute, by Redis' clock, and the first one
 * does it. Minutes that nobody could do, because Redis was away, are made up for, five at the most;
 * one whose controller died over it is done again by another, but for what it had triggered.
 */
@Extension
@SuppressWarnings("try") // why builds are triggered is settled by having the scope open
public final class ClusterCron extends PeriodicWork {
    private static final Logger LOGGER = Logger.getLogger(ClusterCron.class.getName());

    /** A look costs nothing until Redis' clock is in another minute. */
    private static final long LOOK_MILLIS = 2000;

    private static final int MAKE_UP = 5;
    private static final long REMEMBERED_MILLIS = TimeUnit.HOURS.toMillis(1);

    /** All up to it are done, by whomever; -1 before the first look. */
    private long last = -1;

    @Override
    public long getRecurrencePeriod() {
        return LOOK_MILLIS;
    }

    /** By the next full minute a controller that has just started counts as others do. */
    @Override
    public long getInitialDelay() {
        return LOOK_MILLIS;
    }

    @Override
    protected void doRun() {
        Membership membership = Membership.active().orElse(null);
        if (membership == null || !membership.link().joined()) {
            return;
        }
        long now = TimeUnit.MILLISECONDS.toMinutes(membership.cluster().clockMillis());
        long from = last < 0 ? now : Math.max(last + 1, now - MAKE_UP);
        boolean all = true; // done up to here
        for (long minute = from; minute <= now; minute++) {
            try {
                all &= done(membership, minute);
            } catch (HaException e) {
                LOGGER.log(
                        Level.FINE,
                        "Triggers of this minute are made up for when Redis is back: {0}",
                        e.getMessage());
                return;
            }
            if (all) {
                last = minute;
            }
        }
    }

    /** False while another controller is at it: should it die, it is to be done again. */
    private static boolean done(Membership membership, long minute) {
        String what = "minute:" + minute;
        Turn turn = membership.cluster().begin(what, REMEMBERED_MILLIS);
        if (!turn.mine()) {
            return turn.state() == Turn.State.DONE;
        }
        Calendar calendar = new GregorianCalendar();
        calendar.setTimeInMillis(TimeUnit.MINUTES.toMillis(minute));
        Occasion occasion =
                new Occasion(
                        membership.cluster(),
                        what,
                        turn.state() == Turn.State.AGAIN,
                        REMEMBERED_MILLIS);
        try (Occasion.Scope triggering = occasion.begin()) {
            Trigger.checkTriggers(calendar);
        }
        membership
                .outbound()
                .tell("end of " + what, cluster -> cluster.done(what, "", REMEMBERED_MILLIS));
        return true;
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
