package io.jenkins.plugins.ha.history;

import hudson.Extension;
import hudson.model.AbstractItem;
import hudson.model.Action;
import hudson.model.TopLevelItem;
import io.jenkins.plugins.ha.records.BuildRecords;
import java.util.Collection;
import java.util.List;
import jenkins.model.TransientActionFactory;

/** <i>Configuration history</i> in the side panel of each job and folder. */
@Extension
public final class HistoryLink extends TransientActionFactory<AbstractItem> {
    @Override
    public Class<AbstractItem> type() {
        return AbstractItem.class;
    }

    @Override
    public Collection<? extends Action> createFor(AbstractItem item) {
        return item instanceof TopLevelItem && BuildRecords.active().isPresent()
                ? List.of(new HistoryPage(item))
                : List.of();
    }
}
