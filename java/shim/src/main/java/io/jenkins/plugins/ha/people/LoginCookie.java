package io.jenkins.plugins.ha.people;

import hudson.model.User;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.NativeCore;
import jakarta.servlet.http.HttpServletRequest;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.concurrent.TimeUnit;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import jenkins.security.seed.UserSeedProperty;

/**
 * Says who has logged in, to all controllers: the user's id, when it was made, and a signature by a
 * key of the shared secrets over both and the user's seed. It counts for an hour after its user was
 * last seen, and no more once he has a new seed. It ends with the browser. Thread-safe.
 */
final class LoginCookie {
    private static final String NAME = "HA_JENKINS_LOGIN";
    private static final String ALGORITHM = "HmacSHA256";
    private static final long VALID_MILLIS = TimeUnit.HOURS.toMillis(1);

    /** As old as this it is made anew, so that who goes on is not logged out. */
    private static final long RENEWED_MILLIS = TimeUnit.MINUTES.toMillis(1);

    private final Membership membership;
    private final SecretKeySpec key;

    LoginCookie(Membership membership) {
        this.membership = membership;
        this.key =
                new SecretKeySpec(
                        NativeCore.key("logins of " + membership.settings().cluster()), ALGORITHM);
    }

    /** The user whom a request names; null when it names none, or not truly. */
    User user(HttpServletRequest request) {
        String[] parts = parts(request);
        if (parts == null || age(parts) > VALID_MILLIS) {
            return null;
        }
        User user;
        try {
            byte[] id = Base64.getUrlDecoder().decode(parts[0]);
            user = User.getById(new String(id, StandardCharsets.UTF_8), false);
        } catch (IllegalArgumentException e) {
            return null;
        }
        if (user == null) {
            return null;
        }
        byte[] expected =
                signature(parts[0], parts[1], seed(user)).getBytes(StandardCharsets.UTF_8);
        return MessageDigest.isEqual(expected, parts[2].getBytes(StandardCharsets.UTF_8))
                ? user
                : null;
    }

    /** Whether a user who has a session needs a new one. */
    boolean isOld(HttpServletRequest request, String userId) {
        String[] parts = parts(request);
        return parts == null || !parts[0].equals(encoded(userId)) || age(parts) > RENEWED_MILLIS;
    }

    /** The header that gives it to a user. */
    String header(HttpServletRequest request, User user) {
        String id = encoded(user.getId());
        String at = Long.toString(membership.cluster().clockMillis());
        return header(request, id + "." + at + "." + signature(id, at, seed(user)), "");
    }

    /** The header that takes it away. */
    static String goneHeader(HttpServletRequest request) {
        return header(request, "", "; Max-Age=0");
    }

    /** A user's seed: new once all his sessions shall end. */
    static String seed(User user) {
        UserSeedProperty seed = user.getProperty(UserSeedProperty.class);
        return seed == null || UserSeedProperty.DISABLE_USER_SEED ? "" : seed.getSeed();
    }

    private static String header(HttpServletRequest request, String value, String more) {
        return Cookies.header(request, NAME, value, "; SameSite=Lax" + more);
    }

    private long age(String[] parts) {
        try {
            // A clock behind may find it made in the future.
            return Math.abs(membership.cluster().clockMillis() - Long.parseLong(parts[1]));
        } catch (NumberFormatException e) {
            return Long.MAX_VALUE;
        }
    }

    private static String[] parts(HttpServletRequest request) {
        String value = Cookies.valueIn(request, NAME);
        String[] parts = value == null ? new String[0] : value.split("\\.");
        return parts.length == 3 ? parts : null;
    }

    private static String encoded(String id) {
        return Base64.getUrlEncoder()
                .withoutPadding()
                .encodeToString(id.getBytes(StandardCharsets.UTF_8));
    }

    private String signature(String id, String at, String seed) {
        try {
            Mac mac = Mac.getInstance(ALGORITHM);
            mac.init(key);
            byte[] signed = (id + "." + at + "." + seed).getBytes(StandardCharsets.UTF_8);
            return Base64.getUrlEncoder().withoutPadding().encodeToString(mac.doFinal(signed));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("This JVM has no " + ALGORITHM, e);
        }
    }
}
