package jenkins.widgets;

import hudson.model.View;
import hudson.widgets.Widget;
import java.util.List;
import jenkins.model.IComputer;

public class ExecutorsWidget extends Widget {
    public ExecutorsWidget(String ownerUrl, List<? extends IComputer> computers) {
        throw new UnsupportedOperationException();
    }

    public static final class ViewFactoryImpl extends WidgetFactory<View, ExecutorsWidget> {
        public ViewFactoryImpl() {
            throw new UnsupportedOperationException();
        }

        @Override
        public Class<View> type() {
            throw new UnsupportedOperationException();
        }

        @Override
        public Class<ExecutorsWidget> widgetType() {
            throw new UnsupportedOperationException();
        }

        @Override
        public java.util.Collection<ExecutorsWidget> createFor(View target) {
            throw new UnsupportedOperationException();
        }
    }
}
