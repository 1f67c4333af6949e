package io.jenkins.plugins.ha.builds;

import hudson.model.Job;
import io.jenkins.plugins.ha.bridge.Item;
import io.jenkins.plugins.ha.bridge.ItemState;
import io.jenkins.plugins.ha.settings.HaConfiguration;
import io.jenkins.plugins.ha.settings.RerunProperty;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/**
 * Whether builds whose controller died are run again, and those that are not any more because
 * controllers die with them. Thread-safe.
 */
public final class Reruns {
    /** How often controllers may die in a row with a build before it is not run again. */
    static final int MOST = Math.max(0, Integer.getInteger("io.jenkins.plugins.ha.reruns", 3));

    private static final int REMEMBERED = 20;
    private static final Deque<GivenUp> GIVEN_UP = new ArrayDeque<>();

    /**
     * A build that is not run again.
     *
     * @param job full name of the job
     * @param number number of the last build, 0 when it did not even begin
     * @param why a sentence
     */
    public record GivenUp(String job, int number, String why) {
        /** In one line, for the page. */
        public String getText() {
            return job + (number > 0 ? " #" + number : "") + ": " + why;
        }
    }

    private Reruns() {}

    /** What the job says, else what the settings say. */
    static boolean wanted(Job<?, ?> job) {
        RerunProperty property = job.getProperty(RerunProperty.class);
        if (property != null && !property.isDefault()) {
            return property.isAgain();
        }
        HaConfiguration settings = HaConfiguration.get();
        return settings == null || settings.isRerun();
    }

    /** News of an item, on every controller. */
    public static void followed(Item item) {
        boolean ended = item.state() == ItemState.DONE && item.again() == 0;
        boolean setAside = item.state() == ItemState.UNREADABLE;
        if ((ended || setAside) && item.deaths() > MOST) {
            setAside(new GivenUp(item.job(), item.number(), item.why()));
        }
    }

    /** One more that is not gone on with. */
    static void setAside(GivenUp entry) {
        synchronized (GIVEN_UP) {
            if (!GIVEN_UP.contains(entry)) {
                GIVEN_UP.addLast(entry);
            }
            if (GIVEN_UP.size() > REMEMBERED) {
                GIVEN_UP.removeFirst();
            }
        }
    }

    /** The last of those that were given up since this controller started, oldest first. */
    public static List<GivenUp> givenUp() {
        synchronized (GIVEN_UP) {
            return List.copyOf(GIVEN_UP);
        }
    }

    /** An admin has seen them. */
    public static void forget() {
        synchronized (GIVEN_UP) {
            GIVEN_UP.clear();
        }
    }
}
