package io.jenkins.plugins.ha.bridge;

/**
 * What it takes to join a cluster. Validated by {@link Cluster#open}.
 *
 * @param cluster name of the cluster: 1 to 64 of {@code A-Z a-z 0-9 . _ -}
 * @param redisUrl {@code redis://[user@]host[:port][/db]} or {@code rediss://...}; with Sentinels
 *     {@code redis+sentinel://[user@]host[:port],...[/db]?master=NAME}; a password in it is taken
 *     too; {@code replicaWaitMillis=0..1000}, as an option, is how long what is accepted waits for
 *     a replica to have it too
 * @param redisPassword wins over the one in the URL; null or "" for none
 * @param controllerId stable id of this controller (a UUID kept in its JENKINS_HOME)
 * @param name what people call this controller
 * @param url where this controller is reached directly, or ""
 * @param version version of the plugin
 * @param heartbeatMillis how often the lease is renewed; 100 or more, at most a third of the lease
 * @param leaseMillis how long a silent controller is held alive
 * @param key 32 bytes that all controllers of the cluster derive from their shared secrets
 * @param home where the controller runs, and what it shares
 * @param origins where these settings came from
 */
public record ClusterSettings(
        String cluster,
        String redisUrl,
        String redisPassword,
        String controllerId,
        String name,
        String url,
        String version,
        long heartbeatMillis,
        long leaseMillis,
        byte[] key,
        ControllerHome home,
        SettingOrigins origins) {
    /** Of a controller that shares nothing, from nowhere in particular. */
    public ClusterSettings(
            String cluster,
            String redisUrl,
            String redisPassword,
            String controllerId,
            String name,
            String url,
            String version,
            long heartbeatMillis,
            long leaseMillis,
            byte[] key) {
        this(
                cluster,
                redisUrl,
                redisPassword,
                controllerId,
                name,
                url,
                version,
                heartbeatMillis,
                leaseMillis,
                key,
                ControllerHome.UNKNOWN,
                SettingOrigins.UNKNOWN);
    }

    /** One second. */
    public static final long DEFAULT_HEARTBEAT_MILLIS = 1000;

    /** Five seconds. */
    public static final long DEFAULT_LEASE_MILLIS = 5000;

    /** Without secrets. */
    @Override
    public String toString() {
        return "ClusterSettings[" + cluster + " as " + name + " (" + controllerId + ")]";
    }
}
