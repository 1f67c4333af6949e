package io.jenkins.plugins.ha.locks;

import hudson.model.Job;
import hudson.model.Run;
import hudson.security.ACL;
import hudson.security.ACLContext;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.queue.ClusterItemAction;
import java.io.File;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import jenkins.model.Jenkins;

/** The builds that hold locks or wait for them, whichever controller runs them. */
@SuppressWarnings("try") // who acts is settled by having the context open
final class LockHolders {
    /** How long a build must look ended or deleted: news of it may be on their way. */
    private static final long SURE_MILLIS = 5000;

    private final Map<String, Long> goneSince = new HashMap<>();

    /** The build of this id; null when it is not here. */
    static Run<?, ?> find(String id) {
        int hash = id.lastIndexOf('#');
        if (hash < 0) {
            return null;
        }
        Membership membership = Membership.active().orElseThrow();
        try (ACLContext asSystem = ACL.as2(ACL.SYSTEM2)) {
            return membership
                    .builds()
                    .find(id.substring(0, hash), Integer.parseInt(id.substring(hash + 1)));
        } catch (NumberFormatException e) {
            return null;
        }
    }

    /** Whether another controller runs it, as is known here. */
    static boolean runsElsewhere(Run<?, ?> run) {
        return Membership.active().orElseThrow().builds().runningOn(run) != null;
    }

    /**
     * Those of these builds that are gone: ended, or deleted. For one thread; looks into files, and
     * asks Redis about those that look so.
     */
    Set<String> gone(Set<String> ids) {
        goneSince.keySet().retainAll(ids);
        Set<String> gone = new TreeSet<>();
        for (String id : ids) {
            if (!looksGone(id)) {
                goneSince.remove(id);
            } else {
                long now = System.nanoTime();
                long since = goneSince.computeIfAbsent(id, i -> now);
                if (TimeUnit.NANOSECONDS.toMillis(now - since) > SURE_MILLIS) {
                    gone.add(id);
                }
            }
        }
        return gone;
    }

    private static boolean looksGone(String id) {
        Run<?, ?> run = find(id);
        if (run == null) {
            return !isThere(id);
        }
        if (run.isBuilding() || runsElsewhere(run)) {
            return false;
        }
        ClusterItemAction action = run.getAction(ClusterItemAction.class);
        if (action == null || action.itemId() <= 0) {
            return true;
        }
        try {
            return Pen.cluster().item(action.itemId()).map(i -> i.state().ended()).orElse(true);
        } catch (HaException e) {
            return false; // not known just now
        }
    }

    /** Whether its folder is there. */
    static boolean isThere(String id) {
        int hash = id.lastIndexOf('#');
        try (ACLContext asSystem = ACL.as2(ACL.SYSTEM2)) {
            Job<?, ?> job = Jenkins.get().getItemByFullName(id.substring(0, hash), Job.class);
            return job != null && new File(job.getBuildDir(), id.substring(hash + 1)).isDirectory();
        }
    }
}
