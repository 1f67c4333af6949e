package jenkins.model;

public abstract class IdStrategy {
    protected IdStrategy() {
        throw new UnsupportedOperationException();
    }

    public String keyFor(String id) {
        throw new UnsupportedOperationException();
    }
}
