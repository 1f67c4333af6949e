package hudson.scm;

public final class PollingResult {
    public PollingResult(SCMRevisionState baseline, SCMRevisionState remote, Change change) {
        throw new UnsupportedOperationException();
    }

    public enum Change {
        NONE,
        INSIGNIFICANT,
        SIGNIFICANT,
        INCOMPARABLE
    }
}
