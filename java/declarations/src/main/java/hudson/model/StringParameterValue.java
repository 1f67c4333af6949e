package hudson.model;

@SuppressWarnings("serial")
public class StringParameterValue extends ParameterValue {
    public StringParameterValue(String name, String value) {
        super(null);
        throw new UnsupportedOperationException();
    }

    public StringParameterValue(String name, String value, String description) {
        super(null);
        throw new UnsupportedOperationException();
    }
}
