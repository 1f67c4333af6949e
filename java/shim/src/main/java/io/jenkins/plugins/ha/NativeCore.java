package io.jenkins.plugins.ha;

import hudson.PluginWrapper;
import io.jenkins.plugins.ha.bridge.ClusterSettings;
import io.jenkins.plugins.ha.bridge.ControllerHome;
import io.jenkins.plugins.ha.bridge.NativeLibrary;
import io.jenkins.plugins.ha.settings.EffectiveSettings;
import io.jenkins.plugins.ha.settings.HaConfiguration;
import java.io.File;
import java.net.URISyntaxException;
import java.nio.file.Path;
import jenkins.model.Jenkins;

/** The Rust library inside the plugin: where it is, and what it is told about this controller. */
public final class NativeCore {
    private NativeCore() {}

    /**
     * Loads the library, once.
     *
     * @throws io.jenkins.plugins.ha.bridge.HaException.Refused with a sentence when it is missing,
     *     broken or not for this platform
     */
    public static void load() {
        NativeLibrary.use(
                folder(), Jenkins.get().getRootDir().toPath().resolve("ha-jenkins/native"));
        NativeLibrary.load();
    }

    /**
     * What the library needs to join; the key is derived from the secrets that all controllers of a
     * cluster share.
     */
    public static ClusterSettings clusterSettings(
            EffectiveSettings settings, String controllerId, String name, ControllerHome home) {
        long lease = HaConfiguration.leaseMillis();
        return new ClusterSettings(
                settings.cluster(),
                withReplicaWait(settings.redisUrl()),
                settings.redisPassword(),
                controllerId,
                name,
                settings.url(),
                version(),
                Math.min(ClusterSettings.DEFAULT_HEARTBEAT_MILLIS, lease / 5),
                lease,
                ClusterKey.of(settings.cluster()),
                home,
                EffectiveSettings.origins(System::getProperty, System::getenv));
    }

    /** A key of 32 bytes for something else, the same on all controllers that share the secrets. */
    public static byte[] key(String purpose) {
        return ClusterKey.of("for " + purpose);
    }

    /** How long a trigger waits for a replica is an option of the URL to the library. */
    private static String withReplicaWait(String url) {
        Integer millis = Integer.getInteger("io.jenkins.plugins.ha.replicaWaitMillis");
        if (millis == null || url.contains("replicaWaitMillis=")) {
            return url;
        }
        return url + (url.contains("?") ? "&" : "?") + "replicaWaitMillis=" + millis;
    }

    private static String version() {
        PluginWrapper plugin = Jenkins.get().getPluginManager().getPlugin("ha-jenkins");
        return plugin == null ? "unknown" : plugin.getVersion();
    }

    private static Path folder() {
        PluginWrapper plugin = Jenkins.get().getPluginManager().getPlugin("ha-jenkins");
        if (plugin == null) {
            return Path.of("missing");
        }
        try {
            return new File(plugin.baseResourceURL.toURI()).toPath().resolve("WEB-INF/native");
        } catch (URISyntaxException | IllegalArgumentException e) {
            return Path.of(plugin.baseResourceURL.getPath()).resolve("WEB-INF/native");
        }
    }
}
