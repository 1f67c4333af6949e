package io.jenkins.plugins.ha.builds;

import hudson.Extension;
import hudson.model.listeners.ItemListener;
import io.jenkins.plugins.ha.Membership;

/**
 * A controller that stops gives its Pipelines to others first: before core suspends them until the
 * next start. A safe restart has given them away before, while it waited for the other builds.
 */
@Extension
public final class HandOverAtShutdown extends ItemListener {
    private static final long MOST_MILLIS = 8000;

    @Override
    public void onBeforeShutdown() {
        Membership.active().ifPresent(membership -> membership.handOver().giveAll(MOST_MILLIS));
    }
}
