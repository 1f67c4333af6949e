package io.jenkins.plugins.ha.bridge;

/**
 * Where settings came from, in words that tell an admin where to change them.
 *
 * @param cluster of the cluster's name
 * @param redisUrl of Redis' URL
 * @param redisPassword of Redis' password
 */
public record SettingOrigins(String cluster, String redisUrl, String redisPassword) {
    private static final String SETTINGS = "the settings of HA";

    /** Nothing better is known. */
    public static final SettingOrigins UNKNOWN = new SettingOrigins(SETTINGS, SETTINGS, SETTINGS);

    String[] parts() {
        return new String[] {cluster, redisUrl, redisPassword};
    }
}
