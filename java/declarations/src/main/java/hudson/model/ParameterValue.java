package hudson.model;

import java.io.Serializable;

@SuppressWarnings("serial")
public abstract class ParameterValue implements Serializable {
    protected ParameterValue(String text) {
        throw new UnsupportedOperationException();
    }

    protected ParameterValue(String text, String text2) {
        throw new UnsupportedOperationException();
    }

    public final String getName() {
        throw new UnsupportedOperationException();
    }

    public Object getValue() {
        throw new UnsupportedOperationException();
    }

    public String getDescription() {
        throw new UnsupportedOperationException();
    }

    public boolean isSensitive() {
        throw new UnsupportedOperationException();
    }

    public String getShortDescription() {
        throw new UnsupportedOperationException();
    }
}
