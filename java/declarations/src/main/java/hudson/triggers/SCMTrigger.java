package hudson.triggers;

import hudson.model.Action;
import hudson.model.Item;

public class SCMTrigger extends Trigger<Item> {
    SCMTrigger() {}

    public void run(Action[] additionalActions) {
        throw new UnsupportedOperationException();
    }
}
