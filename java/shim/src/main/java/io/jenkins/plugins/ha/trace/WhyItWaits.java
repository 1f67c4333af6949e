package io.jenkins.plugins.ha.trace;

import hudson.model.Queue;

/** Why a queue item waits, in words. */
public final class WhyItWaits {
    private WhyItWaits() {}

    /**
     * What Jenkins says of the item as it stands in this controller's queue. From memory.
     *
     * @param noted what the cluster has noted of it, for where Jenkins says nothing
     */
    public static String of(long item, String noted) {
        Queue.Item shown = Queue.getInstance().getItem(item);
        String says = shown == null || shown instanceof Queue.LeftItem ? null : shown.getWhy();
        return says == null ? noted : says;
    }
}
