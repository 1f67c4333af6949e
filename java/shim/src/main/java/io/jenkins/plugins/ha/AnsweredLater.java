package io.jenkins.plugins.ha;

import io.jenkins.plugins.ha.queue.HaQueue;
import org.kohsuke.stapler.Stapler;
import org.kohsuke.stapler.StaplerRequest2;

/**
 * Who posts a change is answered once the cluster knows of it: this controller may die the moment
 * after, and his next request may reach another one. Nobody else waits, nobody under the queue's
 * lock, and nobody for a Redis that is known to be away.
 */
public final class AnsweredLater {
    private AnsweredLater() {}

    /** Whether what this thread is doing is answered to somebody who may wait for the cluster. */
    public static boolean mayWait(Membership membership) {
        StaplerRequest2 request = Stapler.getCurrentRequest2();
        return request != null
                && !"GET".equals(request.getMethod())
                && !HaQueue.isLockedHere()
                && membership.cluster().holdsLease();
    }
}
