package hudson.model;

@SuppressWarnings("serial")
public class FileParameterValue extends ParameterValue {
    FileParameterValue() {
        super(null);
    }

    public String getOriginalFileName() {
        throw new UnsupportedOperationException();
    }
}
