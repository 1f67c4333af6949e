package io.jenkins.plugins.ha.health;

import io.jenkins.plugins.ha.ControllerIdentity;
import io.jenkins.plugins.ha.bridge.Cluster;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.life.Watchdog;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;
import jenkins.model.Jenkins;

/**
 * Whether other controllers are in the cluster while this one is not. Redis cannot be asked then;
 * so each controller, while it is a member, counts up in a small file on the shared jobs folder,
 * which core takes for no job. That it changes is looked at, never a time in it: no two clocks are
 * compared. From memory but for its own thread.
 */
public final class Others {
    private static final Logger LOGGER = Logger.getLogger(Others.class.getName());
    private static final long LOOK_MILLIS = 2000;

    /** Who came back a moment before this controller is not worth a word. */
    private static final long PATIENCE_MILLIS = 5000;

    /** What did not change for so long does not count. */
    private static final long STALE_MILLIS = 15_000;

    private final Cluster cluster;
    private final Path folder;
    private final Path own;
    private final String incarnation;
    private final Map<String, String> seen = new HashMap<>();
    private long count;
    private long outSince;
    private volatile long joinedSeen;

    public Others(Cluster cluster, ControllerIdentity identity) {
        this.cluster = cluster;
        this.incarnation = identity.incarnation();
        this.folder = Jenkins.get().getRootDir().toPath().resolve("jobs/.ha-jenkins/members");
        this.own = folder.resolve(identity.id());
    }

    /** From now on it is looked at. */
    public void start(Watchdog watchdog) {
        watchdog.every("ha-jenkins-others", LOOK_MILLIS, this::look);
    }

    /** Other controllers are members, and this one has not been for some seconds. */
    public boolean joinedWithoutUs() {
        long at = joinedSeen;
        return at != 0 && millisSince(at) < STALE_MILLIS;
    }

    /** This controller is shut down. */
    public void leave() {
        try {
            Files.deleteIfExists(own);
            Files.deleteIfExists(folder); // unless others are in it
            Files.deleteIfExists(folder.getParent());
        } catch (IOException e) {
            LOGGER.log(Level.FINE, "It says no more, which is as good", e);
        }
    }

    private void look() {
        try {
            if (cluster.link().joined()) {
                outSince = 0;
                joinedSeen = 0;
                Files.createDirectories(folder);
                Files.writeString(own, incarnation + " " + ++count + "\n");
                return;
            }
        } catch (HaException.Closed e) {
            LOGGER.log(Level.FINE, "The others are looked at all the same", e);
        } catch (IOException e) {
            LOGGER.log(Level.FINE, "The others do not see that this one is a member", e);
            return;
        }
        if (outSince == 0) {
            outSince = System.nanoTime();
        }
        boolean changed = changed();
        if (changed && millisSince(outSince) > PATIENCE_MILLIS) {
            joinedSeen = System.nanoTime() | 1;
        }
    }

    private boolean changed() {
        boolean changed = false;
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
            for (Path file : files) {
                if (file.equals(own)) {
                    continue;
                }
                String now = Files.readString(file, StandardCharsets.UTF_8);
                String before = seen.put(file.getFileName().toString(), now);
                changed |= before != null && !before.equals(now);
            }
        } catch (NoSuchFileException e) {
            LOGGER.log(Level.FINE, "Nobody has said anything, or one leaves", e);
        } catch (IOException e) {
            LOGGER.log(Level.FINE, "The others cannot be seen", e);
        }
        return changed;
    }

    private static long millisSince(long nanos) {
        return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - nanos);
    }
}
