package io.jenkins.plugins.ha.commands;

import hudson.model.Job;
import hudson.model.Run;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.bridge.BuildRow;
import io.jenkins.plugins.ha.bridge.HaException;
import java.io.IOException;
import java.util.Objects;
import java.util.logging.Level;
import java.util.logging.Logger;
import jenkins.model.Jenkins;

/**
 * Changes description, name and 'keep forever' of a running build on the controller that runs it.
 * The asking user's permission has been checked where he asked.
 */
public final class Editing {
    /**
     * Asks a controller to change one of its builds; the body is {@code keep \n name \n number \n
     * job \n description \n}, empty each where it stays as it is.
     */
    static final String TOPIC = "edit";

    private static final Logger LOGGER = Logger.getLogger(Editing.class.getName());
    private static final long ANSWER_MILLIS = 3000;

    /** Begins each line that says something new; control characters are in none of the others. */
    private static final String CHANGED = "\u0001";

    private Editing() {}

    /**
     * Asks for what differs between the changed copy and the record; true when there was nothing,
     * or it was done.
     *
     * @param before the record, or null where it cannot be read: then the whole of the copy counts
     */
    public static boolean ask(
            Membership membership, String controllerId, Run<?, ?> copy, BuildRow before) {
        String own = "#" + copy.getNumber();
        String name =
                copy.getDisplayName().equals(own)
                        ? ""
                        : copy.getDisplayName().replaceAll("\\p{Cntrl}", " ");
        String description = Objects.toString(copy.getDescription(), "");
        String body =
                changed(before == null || before.keep() != copy.isKeepLog(), copy.isKeepLog())
                        + changed(before == null || !before.displayName().equals(name), name)
                        + copy.getNumber()
                        + "\n"
                        + copy.getParent().getFullName()
                        + "\n"
                        + changed(
                                before == null || !before.description().equals(description),
                                description);
        if (!body.contains(CHANGED)) {
            return true;
        }
        try {
            String answer = membership.ask(controllerId, TOPIC, body, ANSWER_MILLIS);
            return answer.equals("ok");
        } catch (HaException e) {
            LOGGER.log(Level.FINE, "Not changed: {0}", e.getMessage());
            return false;
        }
    }

    private static String changed(boolean changed, Object to) {
        return (changed ? CHANGED + to : "") + "\n";
    }

    /** The other side: changes a build of this controller. */
    static String editHere(String body) {
        String[] lines = body.split("\n", 5);
        Job<?, ?> job = Jenkins.get().getItemByFullName(lines[3], Job.class);
        Run<?, ?> run = job == null ? null : job.getBuildByNumber(Integer.parseInt(lines[2]));
        if (run == null) {
            return "late";
        }
        try {
            if (lines[0].startsWith(CHANGED)) {
                run.keepLog(Boolean.parseBoolean(lines[0].substring(1)));
            }
            if (lines[1].startsWith(CHANGED)) {
                run.setDisplayName(lines[1].length() == 1 ? null : lines[1].substring(1));
            }
            if (lines[4].startsWith(CHANGED)) {
                run.setDescription(lines[4].substring(1, lines[4].length() - 1));
            }
            return "ok";
        } catch (IOException e) {
            LOGGER.log(Level.WARNING, "Could not change " + run, e);
            return "error";
        }
    }
}
