package io.jenkins.plugins.ha.bridge;

/**
 * Whatever goes wrong below the bridge. The text is for an admin: what is wrong and what to do; it
 * never holds a secret. Decide on the type, never on the text.
 */
public sealed class HaException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    HaException(String message) {
        super(message);
    }

    /**
     * Redis is away or did not answer in time. What was asked may or may not have happened: repeat
     * it with the same id.
     */
    public static final class Unavailable extends HaException {
        private static final long serialVersionUID = 1L;

        Unavailable(String message) {
            super(message);
        }
    }

    /** The item, or the membership, is no longer this controller's. Stop acting on it. */
    public static final class Fenced extends HaException {
        private static final long serialVersionUID = 1L;

        Fenced(String message) {
            super(message);
        }
    }

    /**
     * Settings, password, Redis or the cluster's schema are unfit; the text says how to mend it.
     */
    public static final class Refused extends HaException {
        private static final long serialVersionUID = 1L;

        Refused(String message) {
            super(message);
        }
    }

    /** There is no such item or controller. */
    public static final class NotFound extends HaException {
        private static final long serialVersionUID = 1L;

        NotFound(String message) {
            super(message);
        }
    }

    /** It is in a state that does not allow this. */
    public static final class Conflict extends HaException {
        private static final long serialVersionUID = 1L;

        Conflict(String message) {
            super(message);
        }
    }

    /** An argument is out of range. */
    public static final class Invalid extends HaException {
        private static final long serialVersionUID = 1L;

        Invalid(String message) {
            super(message);
        }
    }

    /** {@link Cluster#close()} was called. */
    public static final class Closed extends HaException {
        private static final long serialVersionUID = 1L;

        Closed(String message) {
            super(message);
        }
    }

    /**
     * A defect of the library (a panic, caught); the controller goes on. Please report the text.
     */
    public static final class Bug extends HaException {
        private static final long serialVersionUID = 1L;

        Bug(String message) {
            super(message);
        }
    }
}
