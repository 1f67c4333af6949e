package io.jenkins.plugins.ha.settings;

import io.jenkins.plugins.ha.bridge.SettingOrigins;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Function;

/**
 * The settings as they apply: system properties first, then the environment, then the page.
 *
 * @param cluster name of the cluster, "" when none is configured
 * @param redisUrl where Redis is, "" when none is configured
 * @param redisPassword the password, or ""; never shown
 * @param name what people call this controller
 * @param url where this controller is reached directly, or ""
 * @param databaseUrl where the build records are, "" for the embedded ones
 * @param databasePassword its password, or ""; never shown
 * @param fault why a file that should hold a password cannot be read, with what to do; or ""
 */
public record EffectiveSettings(
        String cluster,
        String redisUrl,
        String redisPassword,
        String name,
        String url,
        String databaseUrl,
        String databasePassword,
        String fault) {
    /** Name of the cluster in a container without clicks. */
    public static final String CLUSTER = "HA_JENKINS_CLUSTER";

    /** Redis in a container without clicks. */
    public static final String REDIS_URL = "HA_JENKINS_REDIS_URL";

    /** The database in a container without clicks. */
    public static final String DATABASE_URL = "HA_JENKINS_DATABASE_URL";

    /** Redis' password in a container; with _FILE behind it, the file that holds it. */
    public static final String REDIS_PASSWORD = "HA_JENKINS_REDIS_PASSWORD";

    /** The database's password in a container; with _FILE behind it, the file that holds it. */
    public static final String DATABASE_PASSWORD = "HA_JENKINS_DATABASE_PASSWORD";

    private static final String PROPERTIES = "io.jenkins.plugins.ha.";

    /** Nothing set. */
    public static final EffectiveSettings NONE =
            new EffectiveSettings("", "", "", "", "", "", "", "");

    /** What the page says, to be overridden by properties and environment. */
    public static EffectiveSettings of(
            EffectiveSettings page,
            Function<String, String> properties,
            Function<String, String> environment) {
        Password redis =
                Password.of(
                        page.redisPassword,
                        PROPERTIES + "redisPassword",
                        properties,
                        REDIS_PASSWORD,
                        environment);
        Password database =
                Password.of(
                        page.databasePassword,
                        PROPERTIES + "databasePassword",
                        properties,
                        DATABASE_PASSWORD,
                        environment);
        return new EffectiveSettings(
                first(
                        properties.apply("io.jenkins.plugins.ha.cluster"),
                        environment.apply(CLUSTER),
                        page.cluster),
                first(
                        properties.apply("io.jenkins.plugins.ha.redisUrl"),
                        environment.apply(REDIS_URL),
                        page.redisUrl),
                redis.text,
                first(
                        properties.apply("io.jenkins.plugins.ha.name"),
                        environment.apply("HA_JENKINS_NAME"),
                        page.name),
                first(
                        properties.apply("io.jenkins.plugins.ha.url"),
                        environment.apply("HA_JENKINS_URL"),
                        page.url),
                first(
                        properties.apply("io.jenkins.plugins.ha.databaseUrl"),
                        environment.apply(DATABASE_URL),
                        page.databaseUrl),
                database.text,
                first(redis.fault, database.fault));
    }

    /** Whether this controller is to be in a cluster at all. */
    public boolean configured() {
        return !cluster.isEmpty() && !redisUrl.isEmpty();
    }

    /** Where an admin changes the settings that name a cluster. */
    public static SettingOrigins origins(
            Function<String, String> properties, Function<String, String> environment) {
        return new SettingOrigins(
                origin("cluster", CLUSTER, properties, environment),
                origin("redisUrl", REDIS_URL, properties, environment),
                origin("redisPassword", REDIS_PASSWORD, properties, environment));
    }

    private static String origin(
            String property,
            String variable,
            Function<String, String> properties,
            Function<String, String> environment) {
        for (String name : List.of(PROPERTIES + property, PROPERTIES + property + "File")) {
            if (!first(properties.apply(name)).isEmpty()) {
                return "the system property " + name;
            }
        }
        for (String name : List.of(variable, variable + "_FILE")) {
            if (!first(environment.apply(name)).isEmpty()) {
                return "the environment variable " + name;
            }
        }
        return "Manage Jenkins > System > HA (which is the file"
                + " io.jenkins.plugins.ha.settings.HaConfiguration.xml in this controller's home)";
    }

    /**
     * What is missing where only a part is set, as a sentence; "" when nothing is.
     *
     * @param outside whether the page cannot be used, since Jenkins does not start
     */
    public String gap(boolean outside) {
        if (!fault.isEmpty()) {
            return fault;
        }
        if (cluster.isEmpty() && !redisUrl.isEmpty()) {
            return "A Redis URL is set, but no cluster name: set "
                    + CLUSTER
                    + (outside
                            ? " (or the system property io.jenkins.plugins.ha.cluster), too."
                            : ", or the name in Manage Jenkins > System > HA, too.");
        }
        if (!cluster.isEmpty() && redisUrl.isEmpty()) {
            return "The cluster name '"
                    + cluster
                    + "' is set, but no Redis URL: set "
                    + REDIS_URL
                    + (outside
                            ? " (or the system property io.jenkins.plugins.ha.redisUrl), too."
                            : ", or the URL in Manage Jenkins > System > HA, too.");
        }
        return "";
    }

    /** Without the password. */
    @Override
    public String toString() {
        return "EffectiveSettings[" + cluster + " as " + name + "]";
    }

    /** A password, or why the file that should hold it cannot be read. */
    private record Password(String text, String fault) {
        static Password of(
                String page,
                String property,
                Function<String, String> properties,
                String variable,
                Function<String, String> environment) {
            String given = first(properties.apply(property));
            String file = first(properties.apply(property + "File"));
            if (given.isEmpty() && file.isEmpty()) {
                given = first(environment.apply(variable));
                file = first(environment.apply(variable + "_FILE"));
            }
            if (!given.isEmpty()) {
                return new Password(given, "");
            }
            if (file.isEmpty()) {
                return new Password(first(page), "");
            }
            try {
                String text = Files.readString(Path.of(file)).strip();
                if (!text.isEmpty()) {
                    return new Password(text, "");
                }
                return new Password("", unfit(file, variable, "is empty"));
            } catch (IOException | InvalidPathException e) {
                String why = "cannot be read (" + e.getClass().getSimpleName() + ")";
                return new Password("", unfit(file, variable, why));
            }
        }

        private static String unfit(String file, String variable, String why) {
            return "The file "
                    + file
                    + ", which is to hold a password ("
                    + variable
                    + "_FILE), "
                    + why
                    + ": correct its name, its content or its permissions.";
        }

        @Override
        public String toString() {
            return "Password[***]";
        }
    }

    private static String first(String... values) {
        for (String value : values) {
            if (value != null && !value.isBlank()) {
                return value.trim();
            }
        }
        return "";
    }
}
