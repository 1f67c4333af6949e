package io.jenkins.plugins.ha.extensions;

import hudson.Extension;
import hudson.model.ParameterValue;
import hudson.model.ParametersAction;
import hudson.model.Queue;
import hudson.model.StringParameterValue;
import hudson.model.queue.QueueSorter;
import java.util.Comparator;
import java.util.List;

/**
 * Puts builds with a higher number in their parameter P first, as plugins for priorities do, while
 * {@code sort} is {@code P}.
 */
@Extension
public final class Sorting extends QueueSorter {
    @Override
    public void sortBuildableItems(List<Queue.BuildableItem> items) {
        if (Switches.is("sort", "P")) {
            items.sort(Comparator.comparingInt(item -> -priority(item)));
        }
    }

    @Override
    public void sortBlockedItems(List<Queue.BlockedItem> items) {
        super.sortBlockedItems(items);
        if (Switches.is("sort", "P")) {
            items.sort(Comparator.comparingInt(item -> -priority(item)));
        }
    }

    private static int priority(Queue.Item item) {
        for (ParametersAction action : item.getActions(ParametersAction.class)) {
            for (ParameterValue value : action.getParameters()) {
                if (value.getName().equals("P") && value instanceof StringParameterValue text) {
                    return Integer.parseInt((String) text.getValue());
                }
            }
        }
        return 0;
    }
}
