package io.jenkins.plugins.ha.bridge;

import java.io.ByteArrayOutputStream;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * This controller's membership in a cluster: the one way from Java to the library. Thread-safe. No
 * call blocks for longer than 2 s but those that take a timeout (60 s at the most); {@link #claim}
 * and {@link #nextEvent} wait, and are woken by {@link #close()} from any thread, but not by an
 * interrupt. After {@code close()} every call throws {@link HaException.Closed}; so it does after a
 * {@link HaException.Bug}, when nothing but {@code close()} and opening anew makes sense.
 */
public final class Cluster implements AutoCloseable {
    final long handle;

    private Cluster(long handle) {
        this.handle = handle;
    }

    /**
     * Starts to join. Returns at once; connecting goes on in the background until it succeeds.
     *
     * @throws HaException.Refused when the settings cannot be right
     */
    public static Cluster open(ClusterSettings settings) {
        NativeLibrary.load();
        return new Cluster(
                Native.open(
                        settings.cluster(),
                        settings.redisUrl(),
                        settings.redisPassword(),
                        settings.controllerId(),
                        settings.name(),
                        settings.url(),
                        settings.version(),
                        settings.heartbeatMillis(),
                        settings.leaseMillis(),
                        settings.key(),
                        settings.home().parts(),
                        settings.origins().parts()));
    }

    /**
     * Tries the settings without joining.
     *
     * @throws HaException.Refused with the sentence that mends it
     * @throws HaException.Unavailable when Redis does not answer
     */
    public static ConnectionTest test(ClusterSettings settings, long timeoutMillis) {
        NativeLibrary.load();
        List<String> found =
                Native.test(
                        settings.cluster(),
                        settings.redisUrl(),
                        settings.redisPassword(),
                        settings.controllerId(),
                        settings.name(),
                        settings.url(),
                        settings.version(),
                        settings.heartbeatMillis(),
                        settings.leaseMillis(),
                        settings.key(),
                        settings.home().parts(),
                        settings.origins().parts(),
                        timeoutMillis);
        return new ConnectionTest(found.get(0), found.get(1));
    }

    /** How this controller stands. From memory. */
    public LinkState link() {
        return Native.link(handle);
    }

    /** How the library's own threads do. From memory. */
    public List<ThreadLife> threads() {
        return Native.threads(handle).stream().map(ThreadLife::ofLine).toList();
    }

    /**
     * Vouches for the caller's own threads; or says, in a sentence without its full stop, what is
     * wrong with them: then this controller leaves the cluster, {@link LinkState.Phase#REFUSED},
     * until "" is said again. Who has begun to vouch must go on at least every 10 s, else this
     * controller leaves, too. From memory.
     */
    public void vouch(String problem) {
        Native.vouch(handle, problem);
    }

    /**
     * Has an {@link Event.Snapshot} of the whole queue come: the caller could not follow an event.
     * Does not block.
     */
    public void reread() {
        Native.reread(handle);
    }

    /** Waits until joined, at most {@code timeoutMillis}; false when it is not. */
    public boolean awaitJoined(long timeoutMillis) {
        return Native.awaitJoined(handle, timeoutMillis);
    }

    /** A queue id, unique in the cluster, from a block leased ahead. Never touches the network. */
    public long nextQueueId() {
        return Native.nextQueueId(handle);
    }

    /**
     * Ids up to {@code floor} are taken already (items of the time before the cluster). Does not
     * block.
     */
    public void raiseQueueIds(long floor) {
        Native.raiseQueueIds(handle, floor);
    }

    /**
     * Stores an item, durably as Redis is configured.
     *
     * @param seenRevision the newest {@link Item#jobRevision()} of the job that the caller took
     *     into account when it decided that this is no duplicate; -1 to store without such a check
     */
    public Enqueued enqueue(NewItem item, long seenRevision) {
        return enqueue(item, seenRevision, "");
    }

    /**
     * As {@link #enqueue(NewItem, long)}.
     *
     * @param note why it was triggered, for its {@link #trace}
     */
    public Enqueued enqueue(NewItem item, long seenRevision, String note) {
        return Native.enqueue(handle, item.text(), item.payload(), seenRevision, note);
    }

    /**
     * Keeps an item until the cluster has it ({@link #storeAccepted}): when it has answered, the
     * item is on the disk of this controller ({@link ControllerHome#journal()}). For what is
     * accepted while Redis is away. Touches no network.
     *
     * @throws HaException.Unavailable when it cannot be written
     */
    public void keepAccepted(NewItem item) {
        Native.keepAccepted(handle, item.text(), item.payload());
    }

    /**
     * What was kept by {@link #keepAccepted}, also before a restart, and the cluster does not have
     * yet: as it was accepted, version 0.
     *
     * @throws HaException.Unavailable when it cannot be read
     */
    public List<Item> keptAccepted() {
        return Native.keptAccepted(handle);
    }

    /**
     * Stores what was kept by {@link #keepAccepted}, also before a restart, in its order, and
     * forgets it. What the cluster never takes is put aside, with a line in the log.
     *
     * @return the first whose id is another item's: it needs another one ({@link #renameAccepted})
     *     before any behind it is stored. Empty when all is stored
     * @throws HaException.Unavailable while Redis or the journal is: what is not stored waits
     */
    public Optional<Item> storeAccepted() {
        return Optional.ofNullable(Native.storeAccepted(handle));
    }

    /**
     * Gives the first of those kept another id and payload; it is stored last then.
     *
     * @throws HaException.NotFound when {@code id} is not the first of them
     */
    public void renameAccepted(long id, long newId, byte[] payload) {
        Native.renameAccepted(handle, id, newId, payload);
    }

    /**
     * Replaces the payload of a QUEUED item and, unless {@code dueInMillis} is -1, the time until
     * it is due.
     *
     * @param seenRevision as for {@link #enqueue}
     * @return not accepted when the item is not QUEUED any more, even if this controller has
     *     claimed it meanwhile, or the job's items that have not begun changed
     */
    public Enqueued fold(long id, long seenRevision, byte[] payload, long dueInMillis) {
        return fold(id, seenRevision, payload, dueInMillis, "");
    }

    /**
     * As {@link #fold(long, long, byte[], long)}.
     *
     * @param note why what is folded was triggered, for the item's {@link #trace}
     */
    public Enqueued fold(
            long id, long seenRevision, byte[] payload, long dueInMillis, String note) {
        return Native.fold(handle, id, seenRevision, payload, dueInMillis, note);
    }

    /**
     * Replaces the payload of an item that this controller has CLAIMED and the caller has in its
     * hands: what is built is what the caller makes of it, this is for the case that it goes back.
     *
     * @param seenRevision the item's own {@link Item#jobRevision()}
     * @return not accepted when it is not CLAIMED here any more, or was changed
     */
    public Enqueued foldHeld(long id, long seenRevision, byte[] payload) {
        return foldHeld(id, seenRevision, payload, "");
    }

    /**
     * As {@link #foldHeld(long, long, byte[])}.
     *
     * @param note why what is folded was triggered, for the item's {@link #trace}
     */
    public Enqueued foldHeld(long id, long seenRevision, byte[] payload, String note) {
        return Native.foldHeld(handle, id, seenRevision, payload, note);
    }

    /**
     * Waits for items this controller can take and claims them. One thread at a time.
     *
     * @param offers the lanes it can serve, with the room in each; empty: only waits
     * @param max how many at the most, over all lanes
     * @param timeoutMillis 0 to 60,000
     * @return what is ours now, with payloads, in the order of the queue; empty after the timeout
     *     or {@link #wake()}. Where the JVM has no memory for it and throws, the next claim answers
     *     the same
     */
    public List<Item> claim(List<LaneOffer> offers, int max, long timeoutMillis) {
        String[] lanes = offers.stream().map(LaneOffer::lane).toArray(String[]::new);
        int[] rooms = offers.stream().mapToInt(LaneOffer::room).toArray();
        return Native.claim(handle, lanes, rooms, max, timeoutMillis);
    }

    /**
     * From now on these are claimed before all others, in this order, as far as a claim's offers
     * allow; the first 200 count. Of a job that forbids concurrent builds one that waits for its
     * turn goes before the one whose turn it is. Does not block.
     *
     * @param first ids of items
     */
    public void prefer(long[] first) {
        Native.prefer(handle, first);
    }

    /** Makes a waiting {@link #claim} return now. Does not block. */
    public void wake() {
        Native.wake(handle);
    }

    /**
     * The next build number of a job, used once in the cluster.
     *
     * @param id the queue item it is for, which becomes STARTING; 0 for none
     * @param floor the highest number the caller knows to be used
     * @throws HaException.Fenced when the item is not ours any more: the build must not start
     */
    public int assignNumber(long id, String job, int floor) {
        return Native.assignNumber(handle, id, job, floor);
    }

    /**
     * The job was deleted, and {@code highest} is the highest number it used, as far as is known
     * here: a job that is made anew under its name begins with its first build. Without effect
     * where a higher number was given meanwhile. May be repeated.
     */
    public void forgetNumbers(String job, int highest) {
        Native.forgetNumbers(handle, job, highest);
    }

    /**
     * Whose turn it is to do {@code what}, which is done once in the cluster. Whoever is told
     * {@link Turn.State#FIRST} or {@link Turn.State#AGAIN} does it and then says {@link #done} or
     * {@link #notDone}; until then nobody else is told so while this controller is a member.
     * Forgotten after {@code rememberMillis}.
     *
     * @throws HaException.Unavailable when nobody can tell; ask again, it may still be to do
     */
    public Turn begin(String what, long rememberMillis) {
        return Turn.of(Native.begin(handle, what, rememberMillis));
    }

    /**
     * What was begun is done: until it is forgotten all who ask are told so. Without effect when
     * another controller has taken it over, because this one had lost its lease. May be repeated.
     *
     * @param note for those who ask later; 1024 bytes at the most
     */
    public void done(String what, String note, long rememberMillis) {
        Native.done(handle, what, note, rememberMillis);
    }

    /** What was begun was not done: it is as if nobody had begun it. May be repeated. */
    public void notDone(String what) {
        Native.notDone(handle, what);
    }

    /** Redis' clock in milliseconds since 1970, by which the cluster acts. From memory. */
    public long clockMillis() {
        return Native.clockMillis(handle);
    }

    /** The build of a STARTING item runs. */
    public void started(long id, int number) {
        Native.started(handle, id, number);
    }

    /** The build has ended; {@code result} is what Jenkins calls it (SUCCESS, ABORTED, ...). */
    public void finished(long id, String result) {
        Native.finished(handle, id, result);
    }

    /** A claimed item ends unbuilt. */
    public void cancelled(long id, String why) {
        Native.cancelled(handle, id, why);
    }

    /** Hands a claimed item back; it keeps its place, and may be claimed again after the delay. */
    public void release(long id, long delayMillis, String why) {
        Native.release(handle, id, delayMillis, why);
    }

    /**
     * Hands back a claimed item that cannot be started here; it keeps its place, the others may
     * claim it at once, and this controller not before the pause is over. Where its job forbids
     * concurrent builds, others of the job go first for as long, 5 s at the most.
     */
    public void leaveToOthers(long id, long pauseMillis, String why) {
        Native.leaveToOthers(handle, id, pauseMillis, why);
    }

    /**
     * Puts an ORPHANED item back into the queue, at its old place. After ten deaths in a row it is
     * set aside as UNREADABLE instead: something about it kills controllers.
     */
    public void requeue(long id, String why) {
        Native.requeue(handle, id, why);
    }

    /**
     * Hands an ORPHANED item, on which it falls to this controller to decide, on to the next
     * member. For what this controller cannot decide on, such as a build of a job that it does not
     * have.
     *
     * @return the id of that member; empty when there is no other
     * @throws HaException.Fenced for everybody but the reaper
     */
    public Optional<String> pass(long id) {
        return Optional.ofNullable(Native.pass(handle, id));
    }

    /**
     * The build of an ORPHANED item has ended, for its reaper to say, and runs again: in one step
     * the item ends and a new one takes its place in the queue, with its job, lane and priority,
     * due at once. Repeating it has no further effect and yields the same answer.
     *
     * @param result what Jenkins calls the end (ABORTED)
     * @param newId the new item's id, from {@link #nextQueueId()}
     * @param payload what the new item stores
     * @param most how often controllers may die in a row while they build it ({@link
     *     Item#deaths()}) before it is not run again; below 0 where the controller did not die but
     *     was stopped by somebody, which is not counted
     * @return the new item's id; 0 when the item has ended and is not run again, and {@link
     *     Item#why()} says why: somebody wanted it ended, or too many controllers died with it
     * @throws HaException.Fenced for everybody but the reaper
     */
    public long rerun(long id, String result, long newId, byte[] payload, int most) {
        return Native.rerun(handle, id, result, newId, payload, most);
    }

    /**
     * Takes back an ORPHANED item whose build never stopped running here, when this controller lost
     * its membership and the decision fell to itself. It is RUNNING again, in the present epoch.
     *
     * @throws HaException.Fenced when another controller decides on it: the build must be stopped
     */
    public void keep(long id) {
        Native.keep(handle, id);
    }

    /**
     * Takes back an ORPHANED item that this controller ran, whoever has to decide on it. For builds
     * which only their own controller can go on with, such as Pipelines: nobody may call anything
     * else for an orphaned one. It is RUNNING again, in the present epoch; so too if it is already.
     *
     * @param number of the build that goes on
     * @throws HaException.Fenced when it has ended, was never run here, or went back to the queue
     *     and stands for no build or for another one
     */
    public void resume(long id, int number) {
        Native.resume(handle, id, number);
    }

    /**
     * Makes an ORPHANED item this controller's own, whose decision fell to it: its build goes on
     * here. It is RUNNING again, in the present epoch; so too if it is already.
     *
     * @throws HaException.Fenced when the decision is another's, or the earlier owner took it back
     * @throws HaException.Conflict when it has ended
     */
    public void adopt(long id) {
        Native.adopt(handle, id);
    }

    /**
     * Gives a RUNNING item, whose build this controller has let go of, to another member: it is
     * ORPHANED, and deciding on it falls to that one ({@link #adopt}), or should it die first, to
     * the next. Repeating it has no further effect.
     *
     * @param taker id of that controller; this one's own when it stays here after all, and what was
     *     sent before and comes late must not give it away
     * @return false, with nothing changed, when that controller is no member
     * @throws HaException.Fenced when this controller does not hold it any more
     * @throws HaException.Conflict when it does not run
     */
    public boolean handOver(long id, String taker) {
        return Native.handOver(handle, id, taker);
    }

    /**
     * Jobs have been renamed or moved: queue items, numbers and all else kept under their old names
     * follow, each item in its place. Items that have ended or are not named stay as they are. One
     * round trip; calling it again changes nothing more.
     *
     * @return how many items were moved
     */
    public long jobsMoved(List<MovedJob> jobs, List<MovedItem> items) {
        ByteArrayOutputStream payloads = new ByteArrayOutputStream();
        items.forEach(item -> payloads.writeBytes(item.payload()));
        return Native.jobsMoved(
                handle,
                jobs.stream().map(MovedJob::from).toArray(String[]::new),
                jobs.stream().map(MovedJob::to).toArray(String[]::new),
                items.stream().mapToLong(MovedItem::id).toArray(),
                items.stream().mapToInt(MovedItem::place).toArray(),
                items.stream().mapToInt(item -> item.payload().length).toArray(),
                payloads.toByteArray());
    }

    /**
     * The job of an item has another configuration than when the item was accepted: where it is
     * claimed, and whether beside others of its job, goes by what the job says now. Its place in
     * the queue is the same. Nothing happens to what has begun or ended.
     */
    public void revise(long id, String lane, boolean concurrent) {
        Native.revise(handle, id, lane, concurrent);
    }

    /**
     * Somebody wants the build of a STARTING or RUNNING item ended: should its controller die
     * meanwhile, it is not run again. {@code who} is for the record.
     */
    public void unwanted(long id, String who) {
        Native.unwanted(handle, id, who);
    }

    /**
     * Whether nobody can have declared this controller dead, by its own monotonic clock. From
     * memory.
     */
    public boolean holdsLease() {
        return Native.holdsLease(handle);
    }

    /** Sets a claimed item aside as UNREADABLE; its bytes are kept. */
    public void park(long id, String why) {
        Native.park(handle, id, why);
    }

    /** Cancels an item wherever it is. {@code who} is for the record. */
    public CancelOutcome cancel(long id, String who) {
        return Native.cancel(handle, id, who);
    }

    /** An item by id, ended ones for 24 h. One round trip. */
    public Optional<Item> item(long id) {
        return Optional.ofNullable(Native.item(handle, id));
    }

    /**
     * What happened to an item, ended ones for a week (the newest 100,000); empty where nothing is
     * known. One round trip.
     */
    public Optional<ItemTrace> trace(long id) {
        return Optional.ofNullable(Native.trace(handle, id));
    }

    /** All live items, oldest first, without payloads. One round trip; for tools, not for pages. */
    public List<Item> items() {
        return Native.items(handle);
    }

    /**
     * Waits for the next event, at most {@code timeoutMillis}; empty when there is none. Where the
     * JVM has no memory for it and throws, the same event comes again. One thread at a time.
     */
    public Optional<Event> nextEvent(long timeoutMillis) {
        return Optional.ofNullable(Native.nextEvent(handle, timeoutMillis));
    }

    /** Tells all other controllers. */
    public void announce(String topic, String subject, long number, byte[] body) {
        Native.announce(handle, topic, subject, number, body);
    }

    /**
     * Asks a controller and waits for its answer. Repeating it with the same {@code requestId} has
     * no further effect and yields the same answer.
     *
     * @throws HaException.NotFound when there is no such controller
     * @throws HaException.Unavailable when no answer came in time
     */
    public byte[] ask(
            String controllerId, String topic, byte[] body, String requestId, long timeoutMillis) {
        return Native.ask(handle, controllerId, topic, body, requestId, timeoutMillis);
    }

    /** Answers an {@link Event.Command}. */
    public void answer(String requestId, byte[] body) {
        Native.answer(handle, requestId, body);
    }

    /** The controllers of the cluster. One round trip. */
    public List<Member> members() {
        return Native.members(handle);
    }

    /** The controllers that are members, or died and are not back. One round trip. */
    public List<KnownController> homes() {
        return Native.homes(handle);
    }

    /** What happened to the controllers of late, newest first. One round trip. */
    public List<Moment> moments(int most) {
        return Native.moments(handle, most);
    }

    /**
     * Notes something that happened to this controller, for people.
     *
     * @param what one word
     * @param text one line, or ""
     */
    public void noteMoment(String what, String text) {
        Native.noteMoment(handle, what, text);
    }

    /**
     * Replaces what others may want to know of this controller; kept for later memberships, too.
     *
     * @param facts up to 256 KiB
     */
    public void describe(String facts) {
        Native.describe(handle, facts);
    }

    /**
     * Stores a setting of the cluster and tells all, if its version is still {@code base}.
     *
     * @param base the version that this one was made from; 0 for none
     * @param version the new one, above {@code base}
     * @param digest one line, the same for texts that mean the same
     * @param author who changed it, for people
     * @param text at most 16 MiB; null when it was deleted
     * @return {@code version} when it was stored; else the present version as a negative number, or
     *     0 when there is none
     */
    public long storeSetting(
            String path, long base, long version, String digest, String author, byte[] text) {
        return Native.storeSetting(handle, path, base, version, digest, author, text);
    }

    /**
     * A setting of the cluster with its text; empty when it never had one.
     *
     * @throws HaException when no controller of this cluster has sealed it
     */
    public Optional<KeptSetting> setting(String path) {
        byte[] whole = Native.keptSetting(handle, path);
        return whole == null ? Optional.empty() : Optional.of(KeptSetting.ofWhole(path, whole));
    }

    /** All settings of the cluster without their texts, the deleted ones too. One round trip. */
    public List<KeptSetting> settings() {
        return Native.keptSettings(handle).stream().map(KeptSetting::ofLines).toList();
    }

    /**
     * Makes this controller the owner of an agent, unless another member is, or waits for it;
     * answers whose it is then. One round trip.
     *
     * @throws HaException.Fenced and {@link HaException.Unavailable} while it is no member
     */
    public AgentOwner takeAgent(String agent) {
        return AgentOwner.ofLines(agent + "\n" + Native.takeAgent(handle, agent));
    }

    /**
     * Gives an agent of this controller's to another member, for which it is kept for some seconds
     * until it comes, or to nobody. One round trip.
     *
     * @param to the member's id, or ""
     * @return false when it was not this controller's, or the other is no member
     */
    public boolean giveAgent(String agent, String to) {
        return Native.giveAgent(handle, agent, to);
    }

    /** Who has which agent; those that nobody has are missing. One round trip. */
    public List<AgentOwner> agents() {
        return Native.agents(handle).stream().map(AgentOwner::ofLines).toList();
    }

    /**
     * Replaces what this controller says of its executors. One round trip.
     *
     * @param text at most 4 MiB
     */
    public void tellComputers(String text) {
        Native.tellComputers(handle, text);
    }

    /** What the members say of their executors, by controller; this one too. One round trip. */
    public Map<String, String> computers() {
        Map<String, String> told = new HashMap<>();
        for (String one : Native.computers(handle)) {
            int end = one.indexOf('\n');
            told.put(one.substring(0, end), one.substring(end + 1));
        }
        return told;
    }

    /**
     * Takes a slot for one more agent of a cloud, unless as many exist or are asked for in the
     * cluster as its cap allows. One round trip; may be repeated.
     *
     * @param id of the slot, made up by the caller
     * @param cap 0 for none
     * @return how many there are, when there is no slot left; -1 when one was taken
     * @throws HaException.Fenced and {@link HaException.Unavailable} while it is no member
     */
    public int takeCloudSlot(String id, String cloud, int cap) {
        return Native.takeCloudSlot(handle, id, cloud, cap);
    }

    /**
     * Says which agent has a slot, and what it is, for whoever has to end it; takes the slot back
     * after this controller was away. One round trip; may be repeated.
     *
     * @param text at most 1 MiB
     */
    public CloudSlot keepCloudAgent(String id, String cloud, String agent, byte[] text) {
        return CloudSlot.valueOf(Native.keepCloudAgent(handle, id, cloud, agent, text));
    }

    /** Gives a slot back; false when another controller holds it. One round trip. */
    public boolean endCloudAgent(String id) {
        return CloudSlot.valueOf(Native.endCloudAgent(handle, id)) == CloudSlot.ENDED;
    }

    /**
     * Makes a member, this one perhaps, the holder of a slot that is this controller's or of one
     * that is gone. One round trip.
     *
     * @return false when another member holds it, or the other is no member
     */
    public boolean passCloudAgent(String id, String to) {
        return Native.passCloudAgent(handle, id, to);
    }

    /** The agents of clouds that exist or are asked for in the cluster. One round trip. */
    public List<CloudAgent> cloudAgents() {
        return Native.cloudAgents(handle).stream().map(CloudAgent::ofLines).toList();
    }

    /**
     * What an agent of a cloud is, as its controller said.
     *
     * @throws HaException when no controller of this cluster has sealed it
     */
    public Optional<byte[]> cloudAgentText(String id) {
        return Optional.ofNullable(Native.cloudAgentText(handle, id));
    }

    /**
     * Asks for the pen of a shared state: who has it is alone in changing that state, until it
     * gives it back or is no member any more. Controllers get it in the order of asking, if they
     * ask again at least every half second while another has it. May be repeated. One round trip.
     *
     * @param known the version that the caller has already
     * @return empty while another has the pen, or has asked earlier
     * @throws HaException.Fenced and {@link HaException.Unavailable} while this controller is no
     *     member
     */
    public Optional<SharedState> takeState(String name, long known) {
        return SharedState.ofWhole(Native.takeState(handle, name, known));
    }

    /**
     * Stores a shared state whose pen this controller has, and tells all by an announcement on the
     * topic {@code state}; gives the pen back if told to. May be repeated. One round trip.
     *
     * @param base the version that this one was made from
     * @param version the new one, above {@code base}; without a body it does not count
     * @param body at most 16 MiB; null to store nothing
     * @param give whether the pen is given back
     * @return false when nothing was stored, since the pen is another's or {@code base} is not the
     *     present version
     * @throws HaException.Fenced and {@link HaException.Unavailable} while this controller is no
     *     member
     */
    public boolean storeState(String name, long base, long version, byte[] body, boolean give) {
        return Native.storeState(handle, name, base, version, body, give);
    }

    /** A shared state, without its pen. One round trip. */
    public SharedState state(String name, long known) {
        return SharedState.ofWhole(Native.state(handle, name, known)).orElseThrow();
    }

    /**
     * Notes the milestone of a build, and answers those of all builds of its job that have not
     * ended. One round trip.
     *
     * @param milestone the one that it has passed; null when it has only begun
     * @throws HaException.Fenced and {@link HaException.Unavailable} while this controller is no
     *     member
     */
    public Milestones milestone(String job, int build, Integer milestone) {
        String word = milestone == null ? "" : milestone.toString();
        return Milestones.ofLines(Native.milestone(handle, job, build, word));
    }

    /** As {@link #milestone}, of a build that has ended: it is not among them any more. */
    public Milestones milestonesWithout(String job, int build) {
        return Milestones.ofLines(Native.milestone(handle, job, build, "-"));
    }

    /** Forgets the milestones of a job that is gone. One round trip. */
    public void forgetMilestones(String job) {
        Native.forgetMilestones(handle, job);
    }

    /**
     * Forgets a controller that is gone.
     *
     * @throws HaException.Conflict when it is a member
     * @throws HaException.NotFound when it is not known
     */
    public void forget(String controllerId) {
        Native.forget(handle, controllerId);
    }

    /**
     * Hands claimed items back, leaves the cluster, stops all threads; at most 5 s. May be called
     * twice.
     */
    @Override
    public void close() {
        Native.close(handle);
    }
}
