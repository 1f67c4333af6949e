package io.jenkins.plugins.ha;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import jenkins.model.Jenkins;
import jenkins.security.HMACConfidentialKey;

/**
 * Keys that all controllers of a cluster have without telling each other: derived from the secrets
 * that each of them was given before it was first started. A key that Jenkins makes at random on
 * its first use, as its own extensions do, would be another one on each.
 */
final class ClusterKey {
    private static final String ALGORITHM = "HmacSHA256";

    /** What all have in common, from {@code JENKINS_HOME}. */
    private static final String MASTER_KEY = "secrets/master.key";

    private static final String SECRET_KEY = "secret.key";

    private ClusterKey() {}

    /** The key for this purpose, 32 bytes. */
    static byte[] of(String purpose) {
        byte[] text = purpose.getBytes(StandardCharsets.UTF_8);
        Path home = Jenkins.get().getRootDir().toPath();
        Path master = home.resolve(MASTER_KEY);
        if (Files.notExists(master)) {
            // Jenkins keeps its secrets elsewhere, by a plugin that knows how to share them
            return new HMACConfidentialKey(ClusterKey.class, "cluster").mac(text);
        }
        try {
            MessageDigest shared = MessageDigest.getInstance("SHA-256");
            shared.update("ha-jenkins\0".getBytes(StandardCharsets.UTF_8));
            shared.update(Files.readAllBytes(master));
            Path secret = home.resolve(SECRET_KEY);
            shared.update(Files.exists(secret) ? Files.readAllBytes(secret) : new byte[0]);
            Mac mac = Mac.getInstance(ALGORITHM);
            mac.init(new SecretKeySpec(shared.digest(), ALGORITHM));
            return mac.doFinal(text);
        } catch (IOException e) {
            throw new UncheckedIOException("The secrets of this controller cannot be read", e);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e); // every JVM has both
        }
    }
}
