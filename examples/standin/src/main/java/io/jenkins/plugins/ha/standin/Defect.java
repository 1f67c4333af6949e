package io.jenkins.plugins.ha.standin;

/** A defect of the stand-in itself, on purpose, to see that chaos finds it. */
enum Defect {
    /** Whoever runs a build records how it ended, whether or not somebody else has ended it. */
    ROW_IS_NOT_FENCED,
    /** A survivor ends a dead controller's build in the queue, but not in the records. */
    ROW_OF_THE_DEAD_IS_LEFT,
    /** What the database could not take is forgotten with the process. */
    OUTBOX_IS_LOST
}
