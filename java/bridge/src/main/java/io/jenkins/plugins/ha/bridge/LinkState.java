package io.jenkins.plugins.ha.bridge;

/**
 * How this controller stands with the cluster.
 *
 * @param phase the state
 * @param text one sentence for an admin: what is wrong and what to do; no secrets
 * @param epoch this membership's fencing token, 0 when never joined
 * @param notice what an admin should know though all works: that Redis has lost data of late, or
 *     that its replicas lag behind; or ""
 */
public record LinkState(Phase phase, String text, long epoch, String notice) {
    /** From the first moment to the last. */
    public enum Phase {
        /** Not yet reached Redis; trying on. */
        CONNECTING,
        /** A member: may take and run builds. */
        JOINED,
        /** Was a member; Redis is away or the lease was lost; trying on. */
        LOST,
        /**
         * Redis or the settings are unfit ({@link LinkState#text()} says how to mend it); tries
         * again slowly.
         */
        REFUSED,
        /**
         * The cluster does not take this controller as it is: its jobs folder, secrets, id or
         * version; tries again slowly. The others may be well.
         */
        TURNED_AWAY,
        /** Closed by {@link Cluster#close()}. */
        CLOSED
    }

    /** Whether it takes an admin, and no waiting, to join. */
    public boolean refused() {
        return phase == Phase.REFUSED || phase == Phase.TURNED_AWAY;
    }

    /** Whether builds may be taken and started. */
    public boolean joined() {
        return phase == Phase.JOINED;
    }
}
