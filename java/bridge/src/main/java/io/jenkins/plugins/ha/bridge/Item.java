package io.jenkins.plugins.ha.bridge;

/**
 * A queue item of the cluster, as it stood when it was read. Immutable; {@code payload} is shared,
 * do not write to it.
 *
 * @param id the queue id, unique in the cluster, positive
 * @param job full name of the job
 * @param state where it stands
 * @param version grows with each change of this item; an older one is out of date
 * @param jobRevision grows with each item added to or folded into the job's waiting ones
 * @param lane what a controller must be able to serve to claim it, "" for any
 * @param priority 0 to 2047, smaller first
 * @param enqueuedMillis when it was accepted, in this controller's clock, for display
 * @param dueMillis when its quiet period ends, in this controller's clock, for display
 * @param blocked waits behind another build of its job
 * @param concurrent the job allows concurrent builds
 * @param pinned id of the only controller that may claim it, or ""
 * @param origin id of the controller that accepted it
 * @param owner id of the controller that holds it, or ""
 * @param epoch the owner's epoch (fencing token), 0 without owner
 * @param attempts how often it was claimed
 * @param number the build's number, 0 while there is none
 * @param result the build's result once DONE, else ""
 * @param why a sentence on how it came to its state, or ""
 * @param deaths how many controllers died in a row while they built it, over all its re-runs
 * @param again id of the item that runs its build again, 0 for none
 * @param payload what the enqueuer stored, or null where only the state was sent
 */
public record Item(
        long id,
        String job,
        ItemState state,
        long version,
        long jobRevision,
        String lane,
        int priority,
        long enqueuedMillis,
        long dueMillis,
        boolean blocked,
        boolean concurrent,
        String pinned,
        String origin,
        String owner,
        long epoch,
        int attempts,
        int number,
        String result,
        String why,
        int deaths,
        long again,
        byte[] payload) {
    private static final Parcel<Item> PARCEL = Parcel.of(Item.class);

    /** From the library. */
    static Item of(byte[] text, byte[] payload) {
        return PARCEL.record(text, payload);
    }

    /** As it will be once the cluster has what is only accepted yet: version 0, QUEUED. */
    public static Item expected(NewItem item, String origin, long nowMillis) {
        return PARCEL.like(
                item,
                "state",
                ItemState.QUEUED,
                "enqueuedMillis",
                nowMillis,
                "dueMillis",
                nowMillis + item.quietMillis(),
                "origin",
                origin);
    }

    /** The same with another payload. */
    public Item withPayload(byte[] other) {
        return PARCEL.with(this, "payload", other);
    }

    /** The same, stored: its first version. */
    public Item stored(long revision) {
        return PARCEL.with(this, "version", 1L, "jobRevision", revision);
    }

    /** The same, cancelled; the cluster has not told it yet. */
    public Item cancelled() {
        return PARCEL.with(this, "state", ItemState.CANCELLED);
    }

    /** Leaves the payload out: it may hold parameters. */
    @Override
    public String toString() {
        return "Item["
                + id
                + " "
                + job
                + " "
                + state
                + (number > 0 ? " #" + number : "")
                + (owner.isEmpty() ? "" : " on " + owner)
                + " v"
                + version
                + "]";
    }
}
