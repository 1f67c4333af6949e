package io.jenkins.plugins.ha.standin;

/** A defect of the stand-in itself, on purpose, to see that chaos finds it. */
enum Defect {
    /** Whoever runs a build records how it ended, even over the word of who has ended it. */
    ROW_IS_NOT_FENCED,
    /** A survivor ends a dead controller's build in the queue, but not in the records. */
    ROW_OF_THE_DEAD_IS_LEFT,
    /** What the database cannot take at once is dropped. */
    ROWS_ARE_DROPPED_WHILE_AWAY
}
