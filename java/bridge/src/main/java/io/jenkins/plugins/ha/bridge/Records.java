package io.jenkins.plugins.ha.bridge;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The build records of the cluster, in PostgreSQL or, on one host, SQLite. Thread-safe. Writes
 * never wait for the database: they are coalesced per build, stored in order by one thread, and
 * kept in a local outbox, over restarts too, while the database is away. Reads take one bounded
 * round trip (2 s). Every write carries its owner; one by somebody else is refused and logged.
 */
public final class Records implements AutoCloseable {
    final long handle;

    private Records(long handle) {
        this.handle = handle;
    }

    /**
     * Starts; connecting goes on in the background. Migrations run first; two controllers may start
     * at once.
     *
     * @throws HaException.Refused when the settings cannot be right (unknown kind of URL; SQLite on
     *     a network mount)
     */
    public static Records open(RecordsSettings settings) {
        NativeLibrary.load();
        return new Records(
                Native.openRecords(
                        settings.url(),
                        settings.password(),
                        settings.cluster(),
                        settings.controllerId(),
                        settings.incarnation(),
                        settings.outbox()));
    }

    /**
     * Tries the settings: a sentence on what was found. Throws as {@link #open}, and Unavailable.
     */
    public static String test(RecordsSettings settings, long timeoutMillis) {
        NativeLibrary.load();
        return Native.testRecords(
                settings.url(),
                settings.password(),
                settings.cluster(),
                settings.controllerId(),
                settings.incarnation(),
                settings.outbox(),
                timeoutMillis);
    }

    /** From memory. */
    public RecordsState state() {
        return Native.recordsState(handle);
    }

    /**
     * Stores the row as it is now, soon. A later save of the same build before that replaces this
     * one; one that ends a build is never dropped. The version is the store's business. Does not
     * block.
     *
     * @param edit an edit of an ended build (description, keep, name), which any controller may
     *     make; else only the owner may write
     */
    public void save(BuildRow row, boolean edit) {
        Native.saveBuild(handle, row.text(), row.xml(), edit);
    }

    /**
     * Waits until all that was saved of this build is stored, or lies in the outbox on disk; false
     * after the timeout.
     */
    public boolean flush(String job, int number, long timeoutMillis) {
        return Native.flushBuild(handle, job, number, timeoutMillis);
    }

    /**
     * Marks it deleted; its number stays used. Refused, with a line in the log, while it runs on
     * another controller. Does not block.
     */
    public void delete(String job, int number) {
        Native.deleteBuild(handle, job, number);
    }

    /** The job was renamed or moved: its builds, and those of jobs below it, follow. */
    public void rename(String from, String to) {
        Native.renameJob(handle, from, to);
    }

    /**
     * All builds of this job, and of jobs below it, become DELETED, and another job may have the
     * name.
     *
     * @param id names this deletion: whoever brings it, once or again and however late, it is made
     *     once; 64 bytes at the most, "" to make it whenever it is brought
     */
    public void deleteJob(String job, String id) {
        Native.deleteJob(handle, job, id);
    }

    /** One build with its XML; deleted ones too. */
    public Optional<BuildRow> find(String job, int number) {
        return Optional.ofNullable(Native.findBuild(handle, job, number));
    }

    /** Builds without XML. */
    public BuildPage query(BuildQuery query) {
        return Native.queryBuilds(handle, query.text());
    }

    /**
     * The newest build of the job with one of these results (any ended one for an empty list) below
     * {@code below} (0: of all).
     */
    public Optional<BuildRow> newest(String job, List<String> results, int below) {
        return Optional.ofNullable(Native.newestBuild(handle, job, array(results), below));
    }

    /**
     * Numbers and versions of all builds of a job that are not deleted, ascending: two entries
     * each. For comparing with a folder.
     */
    public long[] numbers(String job) {
        return Native.buildNumbers(handle, job);
    }

    /** What runs according to the records, on this controller or on all ("" for all). */
    public List<BuildRow> running(String controllerId) {
        return Native.runningBuilds(handle, controllerId);
    }

    /** The highest number ever used by the job, deleted builds included; 0 when none. */
    public int highest(String job) {
        return Native.highestNumber(handle, job);
    }

    /**
     * Takes over a build of a dead owner under a new one; it is RUNNING then. False when somebody
     * else did so within the last 3 s, and when it came to its own end: only one that is RUNNING,
     * or recorded as ABORTED, can be taken over.
     */
    public boolean adopt(
            String job, int number, String controllerId, String incarnation, long epoch) {
        return Native.adoptBuild(handle, job, number, controllerId, incarnation, epoch);
    }

    /**
     * Stores an entry of the history of a configuration, soon; id, time and digest are the store's
     * business. What several controllers tell of the same form is stored once. Does not block.
     *
     * @param most so many entries of this configuration are kept, 2 at the least, and the one in
     *     force
     */
    public void record(ConfigForm form, int most) {
        Native.recordForm(handle, form.parts(), form.text(), most);
    }

    /**
     * Forgets some of the entries of that history that are older than so many days; what is in
     * force stays known. To be called now and then. Does not block.
     */
    public void forgetForms(int days) {
        Native.forgetForms(handle, days);
    }

    /** The history of a configuration that is there, without bytes, newest first. */
    public List<ConfigForm> forms(String subject, int limit) {
        return Native.forms(handle, subject, limit);
    }

    /** An entry of that history with its bytes, of whatever is there or was deleted. */
    public Optional<ConfigForm> form(long id) {
        return Optional.ofNullable(Native.form(handle, id));
    }

    /** What was deleted, newest first: the entries that say so, without bytes. */
    public List<ConfigForm> deletedForms(int limit) {
        return Native.deletedForms(handle, limit);
    }

    /** Of each configuration that is there, the digest of its newest form that was in force. */
    public Map<String, String> newestForms() {
        List<String> texts = Native.newestForms(handle);
        Map<String, String> newest = new HashMap<>();
        for (int i = 0; i + 1 < texts.size(); i += 2) {
            newest.put(texts.get(i), texts.get(i + 1));
        }
        return newest;
    }

    /**
     * Counts of what was stored, refused, coalesced and outboxed since opening; names are stable.
     */
    public Map<String, Long> counts() {
        long[] counts = Native.recordsCounts(handle);
        List<String> names = Native.recordsCountNames();
        Map<String, Long> named = new LinkedHashMap<>();
        for (int i = 0; i < counts.length; i++) {
            named.put(names.get(i), counts[i]);
        }
        return named;
    }

    /** Stores what waits, at most 5 s; the rest stays in the outbox. May be called twice. */
    @Override
    public void close() {
        Native.closeRecords(handle);
    }

    private static String[] array(List<String> texts) {
        return texts.toArray(new String[0]);
    }
}
