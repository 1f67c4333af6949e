package hudson.model;

@SuppressWarnings("serial")
public class StringParameterValue extends ParameterValue {
    public StringParameterValue(String text, String text2) {
        super(null);
        throw new UnsupportedOperationException();
    }

    public StringParameterValue(String text, String text2, String text3) {
        super(null);
        throw new UnsupportedOperationException();
    }
}
