package io.jenkins.plugins.ha.bridge;

/**
 * How the build records stand.
 *
 * @param phase the state
 * @param text one sentence for an admin: what is wrong and what to do; no secrets
 * @param waiting how many writes wait in the outbox
 * @param warning sentences for an admin on what is not as it should be though the records work, or
 *     ""; no secrets
 */
public record RecordsState(Phase phase, String text, long waiting, String warning) {
    /** How the records stand with their database. */
    public enum Phase {
        /** Not yet reached the database; trying on. */
        CONNECTING,
        /** Writes are stored as they come. */
        READY,
        /** The database is away; writes wait in the outbox, reads fail. */
        AWAY,
        /**
         * The database or the settings are unfit; the text says how to mend it. Writes wait in the
         * outbox.
         */
        REFUSED,
        /** Closed. */
        CLOSED
    }
}
