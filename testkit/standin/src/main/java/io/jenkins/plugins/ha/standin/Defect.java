package io.jenkins.plugins.ha.standin;

/** A defect of the stand-in itself, on purpose, to see that chaos finds it. */
enum Defect {
    /** Whoever runs a build records how it ended, even over the word of who has ended it. */
    ROW_IS_NOT_FENCED,
    /** A survivor ends a dead controller's build in the queue, but not in the records. */
    ROW_OF_THE_DEAD_IS_LEFT,
    /** What the database cannot take at once is dropped. */
    ROWS_ARE_DROPPED_WHILE_AWAY,
    /** Handlers are asked once more when an item is claimed, and find the item itself. */
    HANDLERS_ARE_ASKED_AT_THE_CLAIM,
    /** What a handler refused was stored before. */
    REFUSED_IS_STORED,
    /** What is vetoed here is built nevertheless. */
    VETO_IS_IGNORED,
    /** A build whose agent vanished is said to have succeeded. */
    VANISHED_AGENT_IS_OVERLOOKED
}
