package io.jenkins.plugins.ha.tests.bridge;

import io.jenkins.plugins.ha.bridge.Cluster;
import io.jenkins.plugins.ha.bridge.ClusterSettings;
import java.util.Arrays;

/** Memberships for tests. */
public final class Controllers {
    /** Nobody listens there: the port is reserved. */
    public static final String NOWHERE = "redis://127.0.0.1:1";

    private Controllers() {}

    public static ClusterSettings settings(String redisUrl, String id) {
        byte[] key = new byte[32];
        Arrays.fill(key, (byte) 7);
        return new ClusterSettings(
                "tests",
                redisUrl,
                null,
                id,
                "controller " + id,
                "http://" + id,
                "0.1.0",
                200,
                2000,
                key);
    }

    /** One that will not join. */
    public static Cluster alone() {
        return Cluster.open(settings(NOWHERE, "alone"));
    }
}
