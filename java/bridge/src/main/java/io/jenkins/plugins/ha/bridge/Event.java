package io.jenkins.plugins.ha.bridge;

import java.util.List;

/** Something that happened in the cluster, in the order in which it happened. */
public sealed interface Event {
    /**
     * All live items; replaces everything known. Comes after joining and after any gap in what was
     * received.
     */
    record Snapshot(List<Item> items) implements Event {}

    /**
     * An item changed; the payload is there when it was just queued or folded into. Skip it when a
     * newer version is known.
     */
    record ItemChanged(Item item) implements Event {}

    /** Another controller told all. */
    record Announcement(String from, String topic, String subject, long number, byte[] body)
            implements Event {}

    /**
     * Another controller asks this one; answer with {@link Cluster#answer}. Delivered at least
     * once, answered once.
     */
    record Command(String from, String topic, byte[] body, String requestId) implements Event {}

    /** This controller's own standing changed. */
    record LinkChanged(LinkState state) implements Event {}

    /**
     * The item's controller died while it was STARTING or RUNNING, and it falls to this controller
     * to decide.
     */
    record Orphaned(Item item) implements Event {}

    /** A controller joined, left or died. */
    record MembersChanged() implements Event {}
}
