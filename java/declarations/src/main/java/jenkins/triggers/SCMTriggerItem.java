package jenkins.triggers;

import hudson.model.Item;
import hudson.scm.SCM;
import hudson.triggers.SCMTrigger;
import java.util.Collection;

public interface SCMTriggerItem {
    SCMTrigger getSCMTrigger();

    Collection<? extends SCM> getSCMs();

    class SCMTriggerItems {
        SCMTriggerItems() {}

        public static SCMTriggerItem asSCMTriggerItem(Item item) {
            throw new UnsupportedOperationException();
        }
    }
}
