package io.jenkins.plugins.ha.history;

import io.jenkins.plugins.ha.ControllerIdentity;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.NativeCore;
import io.jenkins.plugins.ha.bridge.ConfigForm;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.bridge.Records;
import io.jenkins.plugins.ha.bridge.RecordsState;
import io.jenkins.plugins.ha.records.BuildRecords;
import io.jenkins.plugins.ha.settings.HaConfiguration;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.logging.Level;
import java.util.logging.Logger;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import jenkins.model.Jenkins;

/**
 * Tells the database each form that a configuration is given here. Never throws and never waits:
 * while the database is away, what is told waits on this controller's disk. Thread-safe, but for
 * {@link #begin} and the baselines, which are one thread's.
 *
 * <p>A subject is the full name of an item, or {@code /} and the path of a file of settings.
 */
public final class FormHistory {
    private static final Logger LOGGER = Logger.getLogger(FormHistory.class.getName());

    private static final String ALGORITHM = "HmacSHA256";

    /** The longest note. */
    private static final int LONGEST = 200;

    /** What is said of the changes that this thread makes. */
    private static final ThreadLocal<String> NOTE = ThreadLocal.withInitial(() -> "");

    /** Something that changes a configuration. */
    public interface Act {
        void run() throws IOException;
    }

    /** Subjects of which it is known that the history has what is in force. */
    private final Set<String> known = ConcurrentHashMap.newKeySet();

    /** By subject the newest form that the history had at the start; null before it was asked. */
    private Map<String, String> atStart;

    /** When what is too old was forgotten, on the monotonic clock. */
    private long forgotAt = System.nanoTime();

    /** What {@code act} changes on this thread is told with this note. */
    public static void noting(String note, Act act) throws IOException {
        NOTE.set(note.substring(0, Math.min(LONGEST, note.length())));
        try {
            act.run();
        } finally {
            NOTE.remove();
        }
    }

    /** The id of the user for whom this thread acts. */
    public static String author() {
        return Jenkins.getAuthentication2().getName();
    }

    /**
     * It was changed here.
     *
     * @param base hash of the form it was made from, "" where it is not known
     * @param baseText that form, for where the history has none yet; null where it is not known
     */
    public void changed(String subject, String author, String base, byte[] baseText, byte[] text) {
        if (known.add(subject) && baseText != null) {
            tell(ConfigForm.Kind.FOUND, subject, "", "", "", baseText);
        }
        tell(ConfigForm.Kind.CHANGED, subject, author, NOTE.get(), base, text);
    }

    /** It was made here. */
    public void created(String subject, byte[] text) {
        known.add(subject);
        tell(ConfigForm.Kind.CREATED, subject, author(), NOTE.get(), "", text);
    }

    /** It has another name, given here, and what is below it follows. */
    public void moved(String from, String to) {
        known.add(to);
        tell(ConfigForm.Kind.MOVED, to, author(), from, "", null);
    }

    /** It was deleted here; {@code text} is what it was last, null where that is not known. */
    public void deleted(String subject, byte[] text) {
        known.remove(subject);
        tell(ConfigForm.Kind.DELETED, subject, author(), NOTE.get(), "", text);
    }

    /** It is this form now, and was {@code base} when this controller looked last. */
    public void found(String subject, String base, byte[] text) {
        known.add(subject);
        tell(ConfigForm.Kind.FOUND, subject, "", "", base, text);
    }

    /** It is gone, and was {@code base} when this controller looked last. */
    public void foundGone(String subject, String base, byte[] text) {
        known.remove(subject);
        tell(ConfigForm.Kind.DELETED, subject, "", "", base, text);
    }

    /** A change that was made here was not taken. */
    public void refused(String subject, String author, String base, byte[] text, String why) {
        tell(ConfigForm.Kind.REFUSED, subject, author, why, base, text);
    }

    /**
     * All that there is will be looked at with {@link #baseline}: asks the database, once, what the
     * history has. What is too old is forgotten, once an hour.
     */
    public void begin() {
        Records records = BuildRecords.active().orElse(null);
        if (records == null || records.state().phase() != RecordsState.Phase.READY) {
            return;
        }
        try {
            if (atStart == null) {
                atStart = records.newestForms();
            }
            if (System.nanoTime() - forgotAt > TimeUnit.HOURS.toNanos(1)) {
                forgotAt = System.nanoTime();
                records.forgetForms(HaConfiguration.get().getHistoryDays());
            }
        } catch (HaException e) {
            LOGGER.log(Level.FINE, "The history is asked again later", e);
        }
    }

    /** Makes sure that the history has what is in force: what changed while nobody looked. */
    public void baseline(String subject, String hash, Supplier<byte[]> text) {
        if (atStart == null || !known.add(subject)) {
            return;
        }
        String newest = atStart.remove(subject);
        if (!hash.equals(newest)) {
            tell(ConfigForm.Kind.FOUND, subject, "", "", newest == null ? "" : newest, text.get());
        }
    }

    /** Makes sure that the history has something of it. */
    public void baseline(String subject, byte[] text) {
        if (atStart != null && known.add(subject) && atStart.remove(subject) == null) {
            tell(ConfigForm.Kind.FOUND, subject, "", "", "", text);
        }
    }

    /** Whether it is known that the history has something of it. */
    public boolean knows(String subject) {
        return known.contains(subject);
    }

    /**
     * Whether a controller of this cluster has told this form as it is: who can only write to the
     * database cannot make one.
     */
    static boolean isSealed(ConfigForm form) {
        return Membership.active()
                .map(membership -> seal(membership, form.text()))
                .filter(seal -> !seal.isEmpty())
                .map(seal -> seal.getBytes(StandardCharsets.UTF_8))
                .filter(
                        seal ->
                                MessageDigest.isEqual(
                                        seal, form.seal().getBytes(StandardCharsets.UTF_8)))
                .isPresent();
    }

    private static String seal(Membership membership, byte[] text) {
        if (text == null) {
            return "";
        }
        try {
            Mac mac = Mac.getInstance(ALGORITHM);
            String use = "history of " + membership.settings().cluster();
            mac.init(new SecretKeySpec(NativeCore.key(use), ALGORITHM));
            return HexFormat.of().formatHex(mac.doFinal(text));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("This JVM has no " + ALGORITHM, e);
        }
    }

    private static void tell(
            ConfigForm.Kind kind,
            String subject,
            String author,
            String note,
            String base,
            byte[] text) {
        Membership membership = Membership.active().orElse(null);
        Records records = BuildRecords.active().orElse(null);
        if (membership == null || records == null) {
            return;
        }
        ControllerIdentity here = membership.identity();
        try {
            records.record(
                    new ConfigForm(
                            0,
                            subject,
                            kind,
                            0,
                            author,
                            here.id(),
                            here.name(),
                            note,
                            base,
                            "",
                            seal(membership, text),
                            text),
                    HaConfiguration.get().getHistoryForms());
        } catch (HaException.Closed e) {
            LOGGER.log(Level.FINE, "{0} is compared with its history at the next start", subject);
        } catch (HaException e) {
            LOGGER.log(
                    Level.WARNING,
                    "The history of {0} lacks a form: {1}",
                    new Object[] {subject, e.getMessage()});
        }
    }
}
