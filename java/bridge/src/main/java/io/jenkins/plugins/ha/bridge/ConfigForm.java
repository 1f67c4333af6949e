package io.jenkins.plugins.ha.bridge;

/**
 * An entry of the history of a configuration, in {@link Records}.
 *
 * @param id names it; 0 before it is stored
 * @param subject what is configured: the full name of an item, or {@code /} and the path of a file
 *     of settings; of what was moved the new name
 * @param kind what happened
 * @param madeMillis when, by the database's clock, epoch milliseconds; 0 before it is stored
 * @param author id of the user who did it, "" where nobody is known
 * @param controllerId the controller on which it was done
 * @param controllerName what people call that controller
 * @param note more in words, or ""; of what was moved the name before
 * @param base SHA-256, in hex, of the form that this one was made from; "" where it is not known
 * @param digest SHA-256, in hex, of this form; "" where it has no bytes, and before it is stored
 * @param seal what the teller sealed the bytes with; the store does not look at it
 * @param text its bytes, secrets encrypted as in the file; null where there are none, and where
 *     only the rest was asked for
 */
public record ConfigForm(
        long id,
        String subject,
        Kind kind,
        long madeMillis,
        String author,
        String controllerId,
        String controllerName,
        String note,
        String base,
        String digest,
        String seal,
        byte[] text) {
    /** What happened to a configuration. */
    public enum Kind {
        /** Somebody changed it. */
        CHANGED,
        /** Somebody made it. */
        CREATED,
        /** It was found so: nobody of the cluster was seen changing it. */
        FOUND,
        /** It has another name, or is in another folder. */
        MOVED,
        /** It was deleted; this is what it was last. */
        DELETED,
        /** Somebody changed it, and the change was not taken: this form was never in force. */
        REFUSED
    }

    private static final Parcel<ConfigForm> PARCEL = Parcel.of(ConfigForm.class);

    /** From the library; what is called {@code text} here are bytes. */
    static ConfigForm of(byte[] parts, byte[] text) {
        return PARCEL.record(parts, text);
    }

    /** For the library: all but the bytes. */
    byte[] parts() {
        return PARCEL.text(this);
    }

    /** Whether it was ever in force and has bytes. */
    public boolean wasInForce() {
        return kind != Kind.REFUSED && !digest.isEmpty();
    }

    /** Leaves note and bytes out. */
    @Override
    public String toString() {
        return "ConfigForm[" + id + " " + subject + " " + kind + " by " + author + "]";
    }
}
