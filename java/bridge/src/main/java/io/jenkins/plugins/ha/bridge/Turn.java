package io.jenkins.plugins.ha.bridge;

/**
 * Answer to {@link Cluster#begin}.
 *
 * @param note what was noted when it was done; "" otherwise
 */
public record Turn(State state, String note) {
    /** Whose turn it is. */
    public enum State {
        /** The caller's: nobody has begun it. */
        FIRST,
        /** The caller's: a controller that has begun it is gone; how far it got is not known. */
        AGAIN,
        /** Another call's, on this controller or another, which is at it. */
        UNDERWAY,
        /** Nobody's: it was done. */
        DONE
    }

    /** Whether the caller is to do it. */
    public boolean mine() {
        return state == State.FIRST || state == State.AGAIN;
    }

    static Turn of(String wire) {
        State state =
                switch (wire.charAt(0)) {
                    case 'F' -> State.FIRST;
                    case 'A' -> State.AGAIN;
                    case 'U' -> State.UNDERWAY;
                    default -> State.DONE;
                };
        return new Turn(state, wire.substring(1));
    }
}
