package io.jenkins.plugins.ha.bridge;

/** Where a queue item stands in the cluster. */
public enum ItemState {
    /** Waits: in its quiet period, for room, or behind another build of its job. */
    QUEUED,
    /** Held by the controller {@link Item#owner()}, not started. */
    CLAIMED,
    /** Has its build number; the build is being made. */
    STARTING,
    /** The build runs on {@link Item#owner()}. */
    RUNNING,
    /**
     * Its controller died while it was STARTING or RUNNING; a survivor decides what becomes of it.
     */
    ORPHANED,
    /** The build has ended; kept for 24 h. */
    DONE,
    /** Ended without a build; kept for 24 h. */
    CANCELLED,
    /** The payload cannot be read; the bytes are kept until an admin cancels the item. */
    UNREADABLE;

    /** Whether no further change can come. */
    public boolean ended() {
        return this == DONE || this == CANCELLED;
    }
}
