package hudson.model;

import java.util.List;
import jenkins.widgets.HasWidgets;

public abstract class View implements HasWidgets {
    protected View(String name) {
        throw new UnsupportedOperationException();
    }

    public String getUrl() {
        throw new UnsupportedOperationException();
    }

    public List<Computer> getComputers() {
        throw new UnsupportedOperationException();
    }

    public boolean isFilterExecutors() {
        throw new UnsupportedOperationException();
    }
}
