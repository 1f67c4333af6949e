package io.jenkins.plugins.ha.bridge;

/** What became of the slot of a cloud's agent. */
public enum CloudSlot {
    /** It is this controller's. */
    OURS,
    /** A survivor has ended its agent. */
    ENDED,
    /** Another member holds it. */
    HELD
}
