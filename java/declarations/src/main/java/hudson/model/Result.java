package hudson.model;

import java.io.Serializable;

@SuppressWarnings("serial")
public final class Result implements Serializable {
    public static final Result SUCCESS = null;

    public static final Result UNSTABLE = null;

    public static final Result FAILURE = null;

    public static final Result NOT_BUILT = null;

    public static final Result ABORTED = null;

    Result() {}

    public static Result fromString(String text) {
        throw new UnsupportedOperationException();
    }

    public boolean isCompleteBuild() {
        throw new UnsupportedOperationException();
    }

    public boolean isBetterThan(Result result) {
        throw new UnsupportedOperationException();
    }

    public boolean isBetterOrEqualTo(Result result) {
        throw new UnsupportedOperationException();
    }

    public boolean isWorseThan(Result result) {
        throw new UnsupportedOperationException();
    }

    public boolean isWorseOrEqualTo(Result result) {
        throw new UnsupportedOperationException();
    }

    public Result combine(Result result) {
        throw new UnsupportedOperationException();
    }

    public static Result combine(Result result, Result result2) {
        throw new UnsupportedOperationException();
    }

    public String toString() {
        throw new UnsupportedOperationException();
    }
}
