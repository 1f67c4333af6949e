package io.jenkins.plugins.ha.records;

import hudson.Extension;
import hudson.model.Action;
import hudson.model.TransientViewActionFactory;
import hudson.model.View;
import java.util.List;

/**
 * <i>Builds</i> in the side panel of the front page and of each view; what extends only {@code
 * RootAction} is in a menu of the header, where nobody looks for it.
 */
@Extension
public final class BuildsInSidePanel extends TransientViewActionFactory {
    @Override
    public List<Action> createFor(View view) {
        return BuildRecords.active().isPresent() ? List.of(new Link()) : List.of();
    }

    /** Leads to {@link BuildsPage}. */
    public static final class Link implements Action {
        @Override
        public String getIconFileName() {
            return "symbol-search";
        }

        @Override
        public String getDisplayName() {
            return "Builds";
        }

        /** From the root, not from the view. */
        @Override
        public String getUrlName() {
            return "/ha-builds/";
        }
    }
}
