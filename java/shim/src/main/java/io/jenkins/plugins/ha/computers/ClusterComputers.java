package io.jenkins.plugins.ha.computers;

import hudson.Extension;
import hudson.ExtensionComponent;
import hudson.model.Computer;
import hudson.model.ComputerSet;
import hudson.model.View;
import io.jenkins.plugins.ha.Membership;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import jenkins.ExtensionFilter;
import jenkins.model.IComputer;
import jenkins.model.Jenkins;
import jenkins.widgets.ExecutorsWidget;
import jenkins.widgets.WidgetFactory;

/** Where pages get the executors from. */
final class ClusterComputers {
    private ClusterComputers() {}

    /** Of the page of nodes, its API and its pane; before core's own. */
    @Extension(ordinal = 1)
    public static final class Source implements ComputerSet.ComputerSource {
        @Override
        public Collection<? extends IComputer> get() {
            List<Computer> here = Arrays.asList(Jenkins.get().getComputers());
            Membership membership = Membership.active().orElse(null);
            return membership == null
                    ? here.stream().map(IComputer.class::cast).toList()
                    : membership.computers().with(here, true);
        }
    }

    /** Of the pane beside views, in the place of core's. */
    @Extension(ordinal = 100)
    public static final class Pane extends WidgetFactory<View, ExecutorsWidget> {
        @Override
        public Class<View> type() {
            return View.class;
        }

        @Override
        public Class<ExecutorsWidget> widgetType() {
            return ExecutorsWidget.class;
        }

        @Override
        public Collection<ExecutorsWidget> createFor(View view) {
            return Membership.active()
                    .map(
                            membership ->
                                    membership
                                            .computers()
                                            .with(view.getComputers(), !view.isFilterExecutors()))
                    .map(computers -> List.of(new ExecutorsWidget(view.getUrl(), computers)))
                    .orElse(List.of());
        }
    }

    /**
     * Core's pane is left out where this one is; on a plain Jenkins it is this one that is empty.
     */
    @Extension
    public static final class Filter extends ExtensionFilter {
        @Override
        public <T> boolean allows(Class<T> type, ExtensionComponent<T> component) {
            return Membership.active().isEmpty()
                    || !(component.getInstance() instanceof ExecutorsWidget.ViewFactoryImpl);
        }
    }
}
