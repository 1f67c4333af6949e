package io.jenkins.plugins.ha.chaos;

/** What a history is held against. */
enum Rule {
    /** An accepted trigger has an effective build, or was cancelled by somebody. */
    LOST,
    /** It has no more than one, and its script does not run again unless it was cut short. */
    DOUBLED,
    /** What a handler refused is not built. */
    REFUSED,
    /** A cancelled item did not run, and what was said to be cancelled is. */
    CANCELLED_RAN,
    /** Numbers of a job are unique and rise in the order in which they are given. */
    NUMBER,
    /** Nothing is claimed past what was due before it; what was accepted first comes first. */
    ORDER,
    /** A build that stays on its controller runs there, and none where its node is vetoed. */
    PLACE,
    /** A job that forbids it has one build at a time. */
    OVERLAP,
    /**
     * Who lost an item, or the membership under which it was held, changes nothing of it any more.
     */
    STALE,
    /**
     * A result is the one the script had, and who is aborted was asked to be or lost its
     * controller.
     */
    RESULT,
    /** A build's record says what the queue says. */
    RECORD,
    /** Each effective build has one row in the database, which says what the queue says. */
    ROW,
    /** An item changes only as it may, and nothing it went through is forgotten. */
    LIFE,
    /** Each live item is in exactly the indexes of its state. */
    INDEX,
    /** When all is over nothing waits, and no key is left but those of the design. */
    DRAINED
}
