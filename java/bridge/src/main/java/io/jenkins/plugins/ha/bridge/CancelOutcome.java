package io.jenkins.plugins.ha.bridge;

/** What became of a wish to cancel a queue item. */
public enum CancelOutcome {
    /** It is gone and will never run. */
    CANCELLED,
    /**
     * A controller holds it unstarted: the wish is recorded, ask that controller ({@link
     * Item#owner()}).
     */
    HELD,
    /** It has already started or ended. */
    TOO_LATE,
    /** No such item. */
    UNKNOWN
}
