package io.jenkins.plugins.ha.carried;

import io.jenkins.plugins.ha.history.FormHistory;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;

/**
 * Tells the history the forms of settings, as they are carried: without what is a controller's own.
 * Those of users are not told. One thread.
 */
final class SettingHistory {
    private final FormHistory history = new FormHistory();

    /** By path the hash of the form that is in force here. */
    private final Map<String, String> inForce = new HashMap<>();

    /** All settings will be looked at. */
    void begin() {
        history.begin();
    }

    /** Whether the history is to be asked whether it has this one. */
    boolean wants(String path) {
        return isTold(path) && !history.knows(subject(path));
    }

    /** This form is in force, whoever made it. */
    void present(String path, String text) {
        if (isTold(path)) {
            inForce.put(path, hash(text));
            history.baseline(subject(path), bytes(text));
        }
    }

    /** This controller has stored this form; the author is "" for an edit by hand. */
    void stored(String path, String author, String text) {
        if (!isTold(path)) {
            return;
        }
        String before = inForce.getOrDefault(path, "");
        String now = hash(text);
        inForce.put(path, now);
        if (now.equals(before)) {
            return;
        }
        if (author.isEmpty()) {
            history.found(subject(path), before, bytes(text));
        } else {
            history.changed(subject(path), author, before, null, bytes(text));
        }
    }

    /** This form was saved here, and was not taken. */
    void lost(String path, String author, String text) {
        if (isTold(path)) {
            history.refused(
                    subject(path),
                    author,
                    inForce.getOrDefault(path, ""),
                    bytes(text),
                    "made from a form that another controller had changed meanwhile");
        }
    }

    private static boolean isTold(String path) {
        return !path.startsWith("users/");
    }

    private static String subject(String path) {
        return "/" + path;
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static String hash(String text) {
        try {
            return HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-256").digest(bytes(text)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
