package io.jenkins.plugins.ha.bridge;

import java.util.List;

/**
 * All native methods; what they do is told at {@link Cluster} and {@link Records}, which alone call
 * them. Before the first call {@link NativeLibrary#load()} must have succeeded. The other side is
 * {@code src/bridge/natives/}: names and types are compared when the library is loaded.
 *
 * <p>There is no static initialiser on purpose: what goes wrong in one reaches the caller as a
 * LinkageError, and those get lost in Jenkins.
 */
final class Native {
    private Native() {}

    /** Version and, if known, commit of the library: {@code 0.1.0+0123456789ab}. */
    static native String build();

    /** Name and descriptor of every method that the library implements. */
    static native List<String> natives();

    /** Sets the level (0 to 5), waits for log lines; answers at once after {@link #wakeLog()}. */
    static native List<LogLine> drainLog(int level, long timeoutMillis);

    static native void wakeLog();

    static native long open(
            String cluster,
            String redisUrl,
            String redisPassword,
            String controllerId,
            String name,
            String url,
            String version,
            long heartbeatMillis,
            long leaseMillis,
            byte[] key,
            String[] home,
            String[] origins);

    /** What was found, and what to change of it or "". */
    static native List<String> test(
            String cluster,
            String redisUrl,
            String redisPassword,
            String controllerId,
            String name,
            String url,
            String version,
            long heartbeatMillis,
            long leaseMillis,
            byte[] key,
            String[] home,
            String[] origins,
            long timeoutMillis);

    static native LinkState link(long handle);

    /** A line each, as {@link ThreadLife#ofLine} reads it. */
    static native List<String> threads(long handle);

    static native void vouch(long handle, String problem);

    static native void reread(long handle);

    static native boolean awaitJoined(long handle, long timeoutMillis);

    static native long nextQueueId(long handle);

    static native void raiseQueueIds(long handle, long floor);

    /** {@code item} as {@link NewItem#text()}. */
    static native Enqueued enqueue(
            long handle, byte[] item, byte[] payload, long seenRevision, String note);

    static native void keepAccepted(long handle, byte[] item, byte[] payload);

    static native List<Item> keptAccepted(long handle);

    /** Null when all is stored. */
    static native Item storeAccepted(long handle);

    static native void renameAccepted(long handle, long id, long newId, byte[] payload);

    static native Enqueued fold(
            long handle, long id, long seenRevision, byte[] payload, long dueInMillis, String note);

    static native Enqueued foldHeld(
            long handle, long id, long seenRevision, byte[] payload, String note);

    /** {@code rooms} stands beside {@code lanes}. */
    static native List<Item> claim(
            long handle, String[] lanes, int[] rooms, int max, long timeoutMillis);

    static native void prefer(long handle, long[] first);

    static native void wake(long handle);

    /** F, A, U as {@link Turn}'s constants begin, or D and the note. */
    static native String begin(long handle, String what, long rememberMillis);

    static native void done(long handle, String what, String note, long rememberMillis);

    static native void notDone(long handle, String what);

    static native long clockMillis(long handle);

    static native void forgetNumbers(long handle, String job, int highest);

    static native int assignNumber(long handle, long id, String job, int floor);

    static native void started(long handle, long id, int number);

    static native void finished(long handle, long id, String result);

    static native void cancelled(long handle, long id, String why);

    static native void release(long handle, long id, long delayMillis, String why);

    static native void leaveToOthers(long handle, long id, long pauseMillis, String why);

    static native void requeue(long handle, long id, String why);

    static native String pass(long handle, long id);

    /** 0 when it is not run again. */
    static native long rerun(
            long handle, long id, String result, long newId, byte[] payload, int most);

    static native void keep(long handle, long id);

    static native void resume(long handle, long id, int number);

    static native void adopt(long handle, long id);

    static native boolean handOver(long handle, long id, String taker);

    static native long jobsMoved(
            long handle,
            String[] from,
            String[] to,
            long[] ids,
            int[] places,
            int[] lengths,
            byte[] payloads);

    static native void revise(long handle, long id, String lane, boolean concurrent);

    static native void unwanted(long handle, long id, String who);

    static native boolean holdsLease(long handle);

    static native void park(long handle, long id, String why);

    static native CancelOutcome cancel(long handle, long id, String who);

    /** Null when there is none. */
    static native Item item(long handle, long id);

    /** Null when nothing is known. */
    static native ItemTrace trace(long handle, long id);

    static native List<Item> items(long handle);

    /** Null when there is none. */
    static native Event nextEvent(long handle, long timeoutMillis);

    static native void announce(
            long handle, String topic, String subject, long number, byte[] body);

    static native byte[] ask(
            long handle,
            String controllerId,
            String topic,
            byte[] body,
            String requestId,
            long timeoutMillis);

    static native void answer(long handle, String requestId, byte[] body);

    static native List<Member> members(long handle);

    static native List<KnownController> homes(long handle);

    static native List<Moment> moments(long handle, int most);

    static native void noteMoment(long handle, String what, String text);

    static native void describe(long handle, String facts);

    /** {@code body} may be null. */
    static native long storeSetting(
            long handle,
            String path,
            long base,
            long version,
            String digest,
            String author,
            byte[] body);

    /** Null when there is none; else the head, an empty line, the text. */
    static native byte[] keptSetting(long handle, String path);

    /** The path, a line break, the head of each. */
    static native List<String> keptSettings(long handle);

    /** The owner's id, a line break, its epoch. */
    static native void tellComputers(long handle, String body);

    static native List<String> computers(long handle);

    static native int takeCloudSlot(long handle, String id, String cloud, int cap);

    static native String keepCloudAgent(
            long handle, String id, String cloud, String agent, byte[] body);

    static native String endCloudAgent(long handle, String id);

    static native boolean passCloudAgent(long handle, String id, String to);

    static native List<String> cloudAgents(long handle);

    static native byte[] cloudAgentText(long handle, String id);

    static native String takeAgent(long handle, String agent);

    static native boolean giveAgent(long handle, String agent, String to);

    /** Of each the agent, the owner's id and its epoch, a line each. */
    static native List<String> agents(long handle);

    /**
     * "SAME" or "NEW", a line break, the version, a line break, the text if it is new; "HELD", a
     * line break and who has it, where the pen is another's.
     */
    static native byte[] takeState(long handle, String name, long known);

    /** {@code body} may be null. */
    static native boolean storeState(
            long handle, String name, long base, long version, byte[] body, boolean give);

    /** As {@link #takeState}, without the pen. */
    static native byte[] state(long handle, String name, long known);

    /**
     * What was noted of the build before, "-" for nothing; then each build's number, a line break,
     * its milestone.
     */
    static native List<String> milestone(long handle, String job, long build, String milestone);

    static native void forgetMilestones(long handle, String job);

    static native void forget(long handle, String controllerId);

    /** Does nothing when the handle is closed already. */
    static native void close(long handle);

    static native long openRecords(
            String url,
            String password,
            String cluster,
            String controllerId,
            String incarnation,
            String outbox);

    static native String testRecords(
            String url,
            String password,
            String cluster,
            String controllerId,
            String incarnation,
            String outbox,
            long timeoutMillis);

    static native RecordsState recordsState(long handle);

    /** {@code row} as {@link BuildRow#text()}; {@code xml} may be null. */
    static native void saveBuild(long handle, byte[] row, byte[] xml, boolean edit);

    static native boolean flushBuild(long handle, String job, int number, long timeoutMillis);

    static native void deleteBuild(long handle, String job, int number);

    static native void renameJob(long handle, String from, String to);

    static native void deleteJob(long handle, String job, String id);

    /** Null when there is none. */
    static native BuildRow findBuild(long handle, String job, int number);

    /** {@code query} as {@link BuildQuery#text()}. */
    static native BuildPage queryBuilds(long handle, byte[] query);

    /** Null when there is none. */
    static native BuildRow newestBuild(long handle, String job, String[] results, int below);

    static native long[] buildNumbers(long handle, String job);

    static native List<BuildRow> runningBuilds(long handle, String controllerId);

    static native int highestNumber(long handle, String job);

    static native boolean adoptBuild(
            long handle,
            String job,
            int number,
            String controllerId,
            String incarnation,
            long epoch);

    /** {@code form} as {@link ConfigForm#parts()}; {@code text} may be null. */
    static native void recordForm(long handle, byte[] form, byte[] text, int most);

    static native void forgetForms(long handle, int days);

    static native List<ConfigForm> forms(long handle, String subject, int limit);

    /** Null when there is none. */
    static native ConfigForm form(long handle, long id);

    static native List<ConfigForm> deletedForms(long handle, int limit);

    /** Names and digests in turn. */
    static native List<String> newestForms(long handle);

    /** In the order of {@link #recordsCountNames()}. */
    static native long[] recordsCounts(long handle);

    static native List<String> recordsCountNames();

    /** Does nothing when the handle is closed already. */
    static native void closeRecords(long handle);
}
