package io.jenkins.plugins.ha.carried;

import hudson.util.Secret;
import io.jenkins.plugins.ha.NativeCore;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.HexFormat;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * The digest of a setting: the same for two texts that differ only in how their secrets are
 * encrypted, which differs each time that Jenkins saves them. Made with a key of the cluster, so
 * that nobody can try passwords on it. Thread-safe.
 */
final class Digest {
    private static final Pattern ENCRYPTED = Pattern.compile("\\{AQAAA[A-Za-z0-9+/]+=*\\}");
    private static final String ALGORITHM = "HmacSHA256";

    private final SecretKeySpec key;

    Digest(String cluster) {
        this.key = new SecretKeySpec(NativeCore.key("settings of " + cluster), ALGORITHM);
    }

    /** One line. */
    String of(String text) {
        StringBuilder plain = new StringBuilder();
        Matcher encrypted = ENCRYPTED.matcher(text);
        while (encrypted.find()) {
            Secret secret = Secret.decrypt(encrypted.group());
            encrypted.appendReplacement(
                    plain,
                    Matcher.quoteReplacement(
                            secret == null
                                    ? encrypted.group()
                                    : "{" + mac(secret.getPlainText()) + "}"));
        }
        encrypted.appendTail(plain);
        return mac(plain.toString());
    }

    private String mac(String text) {
        try {
            Mac mac = Mac.getInstance(ALGORITHM);
            mac.init(key);
            byte[] bytes = mac.doFinal(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(bytes, 0, 16);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("This JVM has no " + ALGORITHM, e);
        }
    }
}
