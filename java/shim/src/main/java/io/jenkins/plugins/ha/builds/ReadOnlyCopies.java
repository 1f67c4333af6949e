package io.jenkins.plugins.ha.builds;

import hudson.model.Executor;
import hudson.model.Queue;
import hudson.model.Run;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.queue.ClusterItemAction;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * Builds of other controllers as they are shown here while they run. Whoever saves one (an edit of
 * the description, say) writes this copy over what the owner wrote, and a Pipeline's copy lacks all
 * that its owner needs to go on. So what the file held is kept while the copy is written over it,
 * to be put back.
 */
public final class ReadOnlyCopies {
    private static final Logger LOGGER = Logger.getLogger(ReadOnlyCopies.class.getName());

    /** What the build that this thread is writing had in its file. */
    private static final ThreadLocal<Before> BEFORE = new ThreadLocal<>();

    private record Before(BuildKey key, byte[] xml) {}

    private ReadOnlyCopies() {}

    /**
     * Id of the controller whose build it is, though that one may be gone for the moment; null for
     * a build of this controller, and for one that has ended.
     */
    public static String ownerOf(Membership membership, Run<?, ?> run) {
        String runningOn = membership.builds().runningOn(run);
        ClusterItemAction action = run.getAction(ClusterItemAction.class);
        if (runningOn != null || action == null) {
            return runningOn;
        }
        boolean waitsForItsOwner =
                RunFields.isShell(run)
                        && !action.controllerId().equals(membership.identity().id())
                        && run.isBuilding()
                        && Executor.of((Queue.Executable) run) == null;
        return waitsForItsOwner ? action.controllerId() : null;
    }

    /** Jenkins is about to write the build. */
    public static void beforeWriting(Run<?, ?> run) {
        BEFORE.remove();
        Membership membership = Membership.active().orElse(null);
        if (membership == null || ownerOf(membership, run) == null) {
            return;
        }
        Path file = run.getRootDir().toPath().resolve("build.xml");
        try {
            BEFORE.set(new Before(BuildKey.of(run), Files.readAllBytes(file)));
        } catch (IOException e) {
            LOGGER.log(Level.FINE, "Nothing is kept of " + run, e);
        }
    }

    /**
     * What the file held before this thread has just written this build; null when it is not known.
     */
    public static byte[] overwritten(Run<?, ?> run) {
        Before before = BEFORE.get();
        BEFORE.remove();
        return before != null && before.key.equals(BuildKey.of(run)) ? before.xml : null;
    }
}
