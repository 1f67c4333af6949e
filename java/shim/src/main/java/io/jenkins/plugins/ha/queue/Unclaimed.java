package io.jenkins.plugins.ha.queue;

import hudson.model.Label;
import hudson.model.Node;
import io.jenkins.plugins.ha.bridge.Item;

/** An item of the cluster that needs an ordinary executor and that no controller has claimed. */
public final class Unclaimed {
    private final Item item;
    private final Label label;

    Unclaimed(Item item, Label label) {
        this.item = item;
        this.label = label;
    }

    public long id() {
        return item.id();
    }

    /** From when on it waits, ms since 1970. */
    public long since() {
        return item.enqueuedMillis();
    }

    /** Full name of its job. */
    public String job() {
        return item.job();
    }

    /** Whether its label allows it there. */
    public boolean fits(Node node) {
        return Room.allows(label, node);
    }
}
