package io.jenkins.plugins.ha.forwarding;

import io.jenkins.plugins.ha.NativeCore;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Base64;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Makes and checks the seals (HMAC-SHA256) of forwarded requests, under a key of their own that
 * each controller derives from the shared secrets. Thread-safe.
 */
final class RequestSeal {
    private static final String ALGORITHM = "HmacSHA256";

    private final SecretKeySpec key;

    RequestSeal(String cluster) {
        this.key = new SecretKeySpec(NativeCore.key("requests forwarded in " + cluster), ALGORITHM);
    }

    /** Each part counts with its length, so that none can flow into the next. */
    String seal(String... parts) {
        try {
            Mac mac = Mac.getInstance(ALGORITHM);
            mac.init(key);
            for (String part : parts) {
                byte[] bytes = part.getBytes(StandardCharsets.UTF_8);
                mac.update(ByteBuffer.allocate(Integer.BYTES).putInt(bytes.length).array());
                mac.update(bytes);
            }
            return Base64.getUrlEncoder().withoutPadding().encodeToString(mac.doFinal());
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("This JVM has no " + ALGORITHM, e);
        }
    }

    /** Whether {@code seal} is that of {@code parts}, in constant time. */
    boolean holds(String seal, String... parts) {
        return MessageDigest.isEqual(
                seal(parts).getBytes(StandardCharsets.US_ASCII),
                seal.getBytes(StandardCharsets.UTF_8));
    }
}
