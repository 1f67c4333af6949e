package io.jenkins.plugins.ha.bridge;

/**
 * What is put into the cluster's queue.
 *
 * @param id from {@link Cluster#nextQueueId()}; enqueueing the same id twice changes nothing
 * @param job full name of the job
 * @param lane what a controller must be able to serve to claim it, "" for any
 * @param priority 0 to 2047, smaller first; {@link #DEFAULT_PRIORITY} where nobody says otherwise
 * @param quietMillis how long it must wait before it may be claimed, 0 or more
 * @param concurrent whether builds of the job may run at the same time
 * @param pinned id of the only controller that may claim it, or ""
 * @param payload opaque bytes, at most {@link #MAX_PAYLOAD}
 */
public record NewItem(
        long id,
        String job,
        String lane,
        int priority,
        long quietMillis,
        boolean concurrent,
        String pinned,
        byte[] payload) {
    /** The middle of the range. */
    public static final int DEFAULT_PRIORITY = 1000;

    /** How many bytes a payload may have; the library refuses more. */
    public static final int MAX_PAYLOAD = 16 << 20;

    private static final Parcel<NewItem> PARCEL = Parcel.of(NewItem.class);

    /** For the library: all but the payload. */
    byte[] text() {
        return PARCEL.text(this);
    }
}
