package io.jenkins.plugins.ha.locks;

import hudson.ExtensionList;
import hudson.init.InitMilestone;
import hudson.init.Initializer;
import hudson.model.Descriptor;
import hudson.model.Run;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.bridge.Event;
import java.util.Collections;
import java.util.Map;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.logging.Level;
import java.util.logging.Logger;
import jenkins.model.GlobalConfiguration;
import jenkins.model.Jenkins;

/**
 * Puts the cluster's locks in the place of those that the plugin lockable-resources keeps in each
 * home, where it is installed. All that names the plugin's classes is loaded only then.
 */
public final class Locks {
    /** Announcements of a new version of a shared state; the subject is its name. */
    public static final String TOPIC = "state";

    private static final Logger LOGGER = Logger.getLogger(Locks.class.getName());
    private static final String MANAGER =
            "org.jenkins.plugins.lockableresources.LockableResourcesManager";

    private static final String THROTTLING =
            "hudson.plugins.throttleconcurrents.ThrottleJobProperty";
    private static final String STORAGE =
            "org.jenkinsci.plugins.pipeline.milestone.MilestoneStorage";

    private static final Set<Run<?, ?>> HELD =
            Collections.synchronizedSet(Collections.newSetFromMap(new WeakHashMap<>()));

    /** By the name of the state. */
    private static final Map<String, Pen> PENS = new ConcurrentHashMap<>();

    private static volatile Throttle throttle;

    private Locks() {}

    /** From now on milestones are the cluster's, where there are any. */
    @Initializer(
            after = InitMilestone.EXTENSIONS_AUGMENTED,
            before = InitMilestone.JOB_LOADED,
            fatal = false)
    public static void shareMilestones() {
        Membership membership = Membership.active().orElse(null);
        if (membership == null || !membership.queueIsOurs() || !isThere(STORAGE)) {
            return; // or the plugin is of a version that keeps them to itself
        }
        try {
            OwnMilestones.replace();
        } catch (RuntimeException | LinkageError e) {
            LOGGER.log(
                    Level.SEVERE,
                    "Milestones are each controller's own: this version of"
                            + " pipeline-milestone-step lacks what HA Jenkins needs",
                    e);
        }
    }

    /** Whether some plugin brings this class. */
    private static boolean isThere(String name) {
        try {
            Class.forName(name, false, Jenkins.get().getPluginManager().uberClassLoader);
            return true;
        } catch (ClassNotFoundException | LinkageError e) {
            return false;
        }
    }

    /** Names the plugin's classes: loaded only where it is. */
    private static final class OwnMilestones {
        private OwnMilestones() {}

        static void replace() {
            ExtensionList.lookup(org.jenkinsci.plugins.pipeline.milestone.MilestoneStorage.class)
                    .add(0, new ClusterMilestones());
        }
    }

    /** From now on totals of throttle-concurrents are the cluster's, where it is installed. */
    @Initializer(
            after = InitMilestone.EXTENSIONS_AUGMENTED,
            before = InitMilestone.JOB_LOADED,
            fatal = false)
    public static void shareThrottling() {
        Membership membership = Membership.active().orElse(null);
        if (membership == null || !membership.queueIsOurs() || !isThere(THROTTLING)) {
            return;
        }
        Throttle made = new Throttle();
        PENS.put(Throttle.NAME, made.pen());
        made.pen().start(membership.cluster(), membership.watchdog());
        throttle = made;
    }

    /** Null where nothing is throttled. */
    static Throttle throttle() {
        return throttle;
    }

    /** Before the settings are loaded: declared resources are the cluster's, too. */
    @Initializer(
            after = InitMilestone.EXTENSIONS_AUGMENTED,
            before = InitMilestone.SYSTEM_CONFIG_LOADED,
            fatal = false)
    @SuppressWarnings("rawtypes")
    public static void share() {
        Membership membership = Membership.active().orElse(null);
        if (membership == null || !membership.queueIsOurs()) {
            return;
        }
        ExtensionList<Descriptor> all = ExtensionList.lookup(Descriptor.class);
        Descriptor present = null;
        for (Descriptor one : all) {
            if (one.getClass().getName().equals(MANAGER)) {
                present = one;
            }
        }
        if (present == null) {
            return; // not installed
        }
        try {
            ClusterLocks locks = ClusterLocks.make(present);
            all.remove(present);
            all.add(0, locks);
            replaceIn(GlobalConfiguration.all(), present, locks);
            PENS.put(ClusterLocks.NAME, locks.pen());
            locks.start(membership);
        } catch (ReflectiveOperationException | RuntimeException | LinkageError e) {
            LOGGER.log(
                    Level.SEVERE,
                    "Locks (lockable-resources) are each controller's own: this version of the"
                            + " plugin lacks what HA Jenkins needs",
                    e);
        }
    }

    @SuppressWarnings("rawtypes")
    private static void replaceIn(
            ExtensionList<GlobalConfiguration> list, Descriptor present, ClusterLocks locks) {
        boolean has = false;
        for (Object one : list) {
            has |= one == present;
        }
        if (has) {
            list.remove(present);
            list.add(0, locks); // and into the list of all descriptors, where it is already
            ExtensionList.lookup(Descriptor.class).remove(locks);
        }
    }

    /** Whether locks are the cluster's; else each controller has its own, or there are none. */
    public static boolean shared() {
        return PENS.containsKey(ClusterLocks.NAME);
    }

    /** A shared state has a new version. Does not block. */
    public static void announced(Event.Announcement announcement) {
        Pen concerned = PENS.get(announcement.subject());
        if (concerned != null) {
            concerned.announced(announcement.number());
        }
    }

    /** This controller was away perhaps. Does not block. */
    public static void lookSoon() {
        PENS.values().forEach(Pen::lookSoon);
    }

    /** The Pipeline is about to be handed over: it gets no lock here until {@link #release}. */
    public static void hold(Run<?, ?> run) {
        Pen pen = PENS.get(ClusterLocks.NAME);
        if (pen != null) {
            pen.under(() -> HELD.add(run));
        }
    }

    /** It goes on here after all. */
    public static void release(Run<?, ?> run) {
        HELD.remove(run);
    }

    static boolean isHeld(Run<?, ?> run) {
        return HELD.contains(run);
    }

    /** This controller stops. Waits for it, 2 s at the most for each state. */
    public static void stop() {
        PENS.values().forEach(Pen::stop);
    }
}
