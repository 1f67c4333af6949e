package io.jenkins.plugins.ha;

import hudson.init.InitMilestone;
import hudson.init.Initializer;
import hudson.init.TermMilestone;
import hudson.init.Terminator;
import hudson.model.Queue;
import io.jenkins.plugins.ha.bridge.Cluster;
import io.jenkins.plugins.ha.bridge.ControllerHome;
import io.jenkins.plugins.ha.bridge.LinkState;
import io.jenkins.plugins.ha.linkage.LinkageCheck;
import io.jenkins.plugins.ha.queue.HaQueue;
import io.jenkins.plugins.ha.settings.EffectiveSettings;
import io.jenkins.plugins.ha.settings.HaConfiguration;
import io.jenkins.plugins.ha.settings.OutsideSecrets;
import io.jenkins.plugins.ha.topology.HomeOfController;
import java.io.IOException;
import java.lang.reflect.Field;
import java.util.List;
import java.util.logging.Level;
import java.util.logging.Logger;
import jenkins.model.Jenkins;

/**
 * Joins the cluster while Jenkins boots: after the plugins, before the first executor exists. Not
 * configured, it leaves Jenkins alone. Configured, it either installs the cluster's queue or stops
 * the boot with a sentence: a controller that shares the jobs folder without being in the cluster
 * is the worst state there is.
 */
public final class Installation {
    /** From Java 26 on it warns, a later one refuses. */
    private static final String NOT_REPLACED =
            "this Java does not let the queue be replaced: start Jenkins with"
                    + " --enable-final-field-mutation=ALL-UNNAMED";

    private static final Logger LOGGER = Logger.getLogger(Installation.class.getName());

    /** How long a boot waits for Redis before it goes on without builds. */
    private static final long PATIENCE_MILLIS =
            Long.getLong("io.jenkins.plugins.ha.bootPatienceMillis", 15_000);

    private static final long ROUND_MILLIS = 3000;

    private Installation() {}

    /**
     * Installs the queue. Throws without a cause: Jenkins goes on, unclustered, past anything that
     * has a LinkageError in its causes.
     */
    @Initializer(
            after = InitMilestone.PLUGINS_STARTED,
            before = InitMilestone.EXTENSIONS_AUGMENTED,
            fatal = true)
    public static void install() {
        String problem = null;
        try {
            OutsideSecrets.hideFromBuilds();
            // an instance of its own: to ask for the extension would make all others before their
            // time, on a plain Jenkins too
            HaConfiguration page = new HaConfiguration();
            EffectiveSettings settings = page.effective();
            if (!page.getUnreadable().isEmpty()) {
                problem = page.getUnreadable();
            } else if (settings.configured() && !page.undecipherable().isEmpty()) {
                problem = page.undecipherable();
            } else if (!settings.fault().isEmpty()) {
                problem = settings.fault();
            } else if (settings.configured()) {
                join(settings);
            } else if (page.isSetFromOutside() && !settings.gap(true).isEmpty()) {
                problem = settings.gap(true);
            } else {
                LOGGER.info(
                        "HA is not configured: this is a plain Jenkins (Manage Jenkins > System >"
                                + " HA)");
            }
        } catch (
                Throwable
                        e) { // whatever it is must reach the admin, and must not reach Jenkins as a
            // cause
            LOGGER.log(Level.SEVERE, "HA Jenkins cannot be installed", e);
            problem = e.getMessage() == null ? e.toString() : e.getMessage();
        }
        if (problem != null) {
            throw new IllegalStateException(
                    "HA Jenkins is configured but cannot run here, so this controller does not"
                            + " start: "
                            + problem
                            + " (Without the plugin or its settings it starts alone: do that only"
                            + " where no other controller uses its jobs folder.)");
        }
    }

    /** Jobs are there: builds may come. */
    @Initializer(after = InitMilestone.JOB_CONFIG_ADAPTED, fatal = false)
    public static void takeBuilds() {
        Membership.active()
                .ifPresent(
                        membership -> {
                            if (membership.queueIsOurs()) {
                                membership.takeBuilds();
                            } else {
                                LOGGER.severe(
                                        "Another plugin replaced Jenkins' queue after HA Jenkins"
                                                + " did: no builds are taken from the cluster");
                            }
                        });
    }

    /** Hands back what has not started, and leaves. */
    @Terminator(after = TermMilestone.STARTED)
    public static void leave() {
        Membership.active().ifPresent(Membership::leave);
    }

    private static void join(EffectiveSettings settings)
            throws IOException, ReflectiveOperationException {
        List<String> missing =
                LinkageCheck.missing(Jenkins.get().getPluginManager().uberClassLoader);
        if (!missing.isEmpty()) {
            throw new IllegalStateException(LinkageCheck.sentence(Jenkins.VERSION, missing));
        }
        NativeCore.load();
        ControllerIdentity identity =
                ControllerIdentity.of(Jenkins.get().getRootDir(), nameOf(settings));
        Cluster cluster =
                Cluster.open(
                        NativeCore.clusterSettings(
                                settings, identity.id(), identity.name(), HomeOfController.here()));
        try {
            awaitJoined(cluster);
            Membership membership = new Membership(cluster, identity, settings);
            HaQueue queue = new HaQueue(Queue.getInstance(), membership);
            setQueue(queue);
            membership.activate();
        } catch (Throwable e) {
            cluster.close(); // the others must not wait for a controller that does not come up
            throw e;
        }
        LOGGER.info(
                () ->
                        "This controller is '"
                                + identity.name()
                                + "' ("
                                + identity.id()
                                + ") of the cluster '"
                                + settings.cluster()
                                + "'");
    }

    private static void awaitJoined(Cluster cluster) {
        long deadline = System.nanoTime() + PATIENCE_MILLIS * 1_000_000;
        while (!cluster.awaitJoined(Math.min(ROUND_MILLIS, PATIENCE_MILLIS))) {
            LinkState link = cluster.link();
            boolean patient = System.nanoTime() < deadline && !link.refused();
            LOGGER.warning(
                    () ->
                            link.text()
                                    + (patient
                                            ? " Waiting for it."
                                            : " Coming up without it: no builds are taken or run"
                                                    + " until it is back; nothing that is triggered"
                                                    + " is lost."));
            if (!patient) {
                return;
            }
        }
    }

    private static String nameOf(EffectiveSettings settings) {
        if (!settings.name().isEmpty()) {
            return settings.name();
        }
        String host = ControllerHome.hostName();
        return host.isEmpty() ? "controller" : host;
    }

    /**
     * Jenkins has no other way to have its queue replaced: it is a private final field, made before
     * any plugin.
     */
    private static void setQueue(Queue queue) throws ReflectiveOperationException {
        Field field = Jenkins.class.getDeclaredField("queue");
        field.setAccessible(true);
        try {
            field.set(Jenkins.get(), queue);
        } catch (IllegalAccessException e) {
            throw new IllegalStateException(NOT_REPLACED, e);
        }
        if (Queue.getInstance() != queue) {
            throw new IllegalStateException(NOT_REPLACED);
        }
    }
}
