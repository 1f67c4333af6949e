package io.jenkins.plugins.ha.bridge;

import java.util.List;
import java.util.Map;

/**
 * The record of a build. What {@link Records} stores is the truth; build.xml on the shared folder
 * is a copy for plugins that read files.
 *
 * @param job full name of the job
 * @param number the build's number, 1 or more
 * @param state where it stands
 * @param version grows with each write of this row
 * @param queueId id of the queue item it came from, 0 when unknown; at most one build has it
 * @param controllerId the controller that runs or ran it, "" for builds of the time before the
 *     cluster
 * @param controllerName what people call that controller
 * @param incarnation the boot of that controller
 * @param epoch the membership under which it runs (fencing token), 0 when none
 * @param result SUCCESS, UNSTABLE, FAILURE, NOT_BUILT, ABORTED, or "" while there is none
 * @param startedMillis when it started, epoch milliseconds
 * @param durationMillis how long it took, 0 while it runs
 * @param displayName its name where it was given one, or ""
 * @param description what was written about it, or ""
 * @param keep kept for ever
 * @param agent the agent it ran on, "" for the built-in node or where it does not say
 * @param causes short descriptions
 * @param users ids of the users among the causes
 * @param parameters names and values; the value of a sensitive one is "****"
 * @param commits ids the SCM gave for what was built
 * @param xml the exact bytes of build.xml, or null where only the rest was asked for; null in a
 *     save leaves what is stored as it is
 * @param damage why the build's file, or this record of it, cannot be read, or ""; the bytes are
 *     kept
 */
public record BuildRow(
        String job,
        int number,
        State state,
        long version,
        long queueId,
        String controllerId,
        String controllerName,
        String incarnation,
        long epoch,
        String result,
        long startedMillis,
        long durationMillis,
        String displayName,
        String description,
        boolean keep,
        String agent,
        List<String> causes,
        List<String> users,
        Map<String, String> parameters,
        List<String> commits,
        byte[] xml,
        String damage) {
    /** Where a build stands. */
    public enum State {
        /** Runs on its controller. */
        RUNNING,
        /** Has ended. */
        ENDED,
        /** Was deleted: its number stays used. */
        DELETED
    }

    private static final Parcel<BuildRow> PARCEL = Parcel.of(BuildRow.class);

    /**
     * A row of a build that has ended.
     *
     * @param parts of its parts those that are not "", 0, false, empty or null: a name and a value
     *     each
     */
    public static BuildRow of(String job, int number, Object... parts) {
        return PARCEL.made("job", job, "number", number, "state", State.ENDED).with(parts);
    }

    /** As this one but for these parts, a name and a value each. */
    public BuildRow with(Object... parts) {
        return PARCEL.with(this, parts);
    }

    /** From the library. */
    static BuildRow of(byte[] text, byte[] xml) {
        return PARCEL.record(text, xml);
    }

    /** For the library: all but the XML. */
    byte[] text() {
        return PARCEL.text(this);
    }

    /** Whether this record, or the build's file, cannot be read. */
    public boolean unreadable() {
        return !damage.isEmpty();
    }

    /** Leaves parameters, description and bytes out. */
    @Override
    public String toString() {
        return "BuildRow["
                + job
                + " #"
                + number
                + " "
                + state
                + (result.isEmpty() ? "" : " " + result)
                + " v"
                + version
                + "]";
    }
}
