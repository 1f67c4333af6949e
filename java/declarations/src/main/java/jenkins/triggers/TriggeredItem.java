package jenkins.triggers;

import hudson.model.Item;
import hudson.triggers.Trigger;
import java.util.Map;

public interface TriggeredItem extends Item {
    Map<?, Trigger<?>> getTriggers();
}
