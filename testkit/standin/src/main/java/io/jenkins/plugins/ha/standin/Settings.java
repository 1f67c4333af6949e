package io.jenkins.plugins.ha.standin;

import io.jenkins.plugins.ha.bridge.ClusterSettings;
import io.jenkins.plugins.ha.bridge.ControllerHome;
import io.jenkins.plugins.ha.bridge.RecordsSettings;
import io.jenkins.plugins.ha.bridge.SettingOrigins;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;

/**
 * How a stand-in is started: {@code --name=a --home=FOLDER --port=N} and, with defaults, {@code
 * --executors=2 --claim-ahead=0 --heartbeat=1000 --lease=5000}. The home has {@code jobs} and
 * {@code secrets} in it, both shared. Cluster, Redis and, where wanted, the database come from the
 * environment, as with the plugin.
 *
 * @param controllerId kept in the home
 * @param claimAhead how many items it claims beyond its executors
 * @param databaseUrl where build records go, or null
 * @param defect what it does wrong on purpose, or null
 */
record Settings(
        String name,
        String controllerId,
        Path home,
        int port,
        int executors,
        int claimAhead,
        long heartbeatMillis,
        long leaseMillis,
        String cluster,
        String redisUrl,
        String databaseUrl,
        String databasePassword,
        Defect defect) {
    private static final String ID_FILE = "ha-controller-id";

    static Settings from(String[] args, Map<String, String> environment) throws IOException {
        Map<String, String> given = new HashMap<>();
        for (String arg : args) {
            String[] parts = arg.split("=", 2);
            if (!parts[0].startsWith("--") || parts.length != 2) {
                throw new IllegalArgumentException("--option=value, not " + arg);
            }
            given.put(parts[0].substring(2), parts[1]);
        }
        for (String needed : new String[] {"name", "home", "port"}) {
            if (!given.containsKey(needed)) {
                throw new IllegalArgumentException("--" + needed + "= is missing");
            }
        }
        for (String needed : new String[] {"HA_JENKINS_CLUSTER", "HA_JENKINS_REDIS_URL"}) {
            if (!environment.containsKey(needed)) {
                throw new IllegalArgumentException(
                        "environment variable " + needed + " is missing");
            }
        }
        Path home = Files.createDirectories(Path.of(given.get("home")));
        return new Settings(
                given.get("name"),
                controllerId(home),
                home,
                Integer.parseInt(given.get("port")),
                Integer.parseInt(given.getOrDefault("executors", "2")),
                Integer.parseInt(given.getOrDefault("claim-ahead", "0")),
                Long.parseLong(
                        given.getOrDefault(
                                "heartbeat",
                                Long.toString(ClusterSettings.DEFAULT_HEARTBEAT_MILLIS))),
                Long.parseLong(
                        given.getOrDefault(
                                "lease", Long.toString(ClusterSettings.DEFAULT_LEASE_MILLIS))),
                environment.get("HA_JENKINS_CLUSTER"),
                environment.get("HA_JENKINS_REDIS_URL"),
                environment.get("HA_JENKINS_DATABASE_URL"),
                environment.getOrDefault("HA_JENKINS_DATABASE_PASSWORD", ""),
                given.containsKey("defect") ? Defect.valueOf(given.get("defect")) : null);
    }

    /** Without the URLs: they may hold a password. */
    @Override
    public String toString() {
        return name + " (" + controllerId + ") in " + cluster;
    }

    String url() {
        return "http://127.0.0.1:" + port + "/";
    }

    ClusterSettings forBridge() throws IOException {
        return new ClusterSettings(
                cluster,
                redisUrl,
                null,
                controllerId,
                name,
                url(),
                "stand-in",
                heartbeatMillis,
                leaseMillis,
                key(),
                new ControllerHome(
                        "stand-in:" + home,
                        ControllerHome.placeOf(home.resolve(ID_FILE)),
                        home.resolve(ID_FILE).toString(),
                        home.resolve("jobs").toString(),
                        home.resolve("outbox").toString(),
                        "stand-in",
                        ""),
                SettingOrigins.UNKNOWN);
    }

    RecordsSettings forRecords(String incarnation) {
        return new RecordsSettings(
                databaseUrl,
                databasePassword,
                cluster,
                controllerId,
                incarnation,
                home.resolve("ha-outbox").toString());
    }

    /** All controllers derive the same from the secret they share. */
    private byte[] key() throws IOException {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            digest.update("ha-jenkins stand-in".getBytes());
            return digest.digest(Files.readAllBytes(home.resolve("secrets").resolve("master.key")));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String controllerId(Path home) throws IOException {
        Path file = home.resolve(ID_FILE);
        if (!Files.exists(file)) {
            Files.writeString(file, UUID.randomUUID().toString());
        }
        return Files.readString(file);
    }
}
