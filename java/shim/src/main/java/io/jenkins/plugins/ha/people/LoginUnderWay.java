package io.jenkins.plugins.ha.people;

import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.NativeCore;
import io.jenkins.plugins.ha.Recent;
import io.jenkins.plugins.ha.RequestPath;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.http.HttpSession;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.ObjectStreamClass;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.zip.DeflaterOutputStream;
import java.util.zip.InflaterInputStream;
import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import jenkins.model.Jenkins;

/**
 * Who logs in at another site may come back to another controller than the one that sent him there.
 * What the realm has put into his session meanwhile goes with him, in a cookie: encrypted under a
 * key of the shared secrets, for ten minutes. Only what a controller of this cluster has written is
 * ever read. Thread-safe.
 */
public final class LoginUnderWay {
    private static final Logger LOGGER = Logger.getLogger(LoginUnderWay.class.getName());
    private static final String NAME = "HA_JENKINS_LOGIN_UNDER_WAY";
    private static final String REALM = "/securityRealm/";
    private static final String CIPHER = "AES/GCM/NoPadding";
    private static final int NONCE_BYTES = 12;
    private static final int TAG_BITS = 128;
    private static final long VALID_MILLIS = TimeUnit.MINUTES.toMillis(10);

    /** Browsers take no larger cookie. */
    private static final int MOST_CHARACTERS = 3800;

    /** Spring's and Jenkins' own: who has logged in, and whence. */
    private static final List<String> NOT_THE_REALMS =
            List.of("SPRING_SECURITY_", "_JENKINS_SESSION_SEED");

    private static final Map<String, String> LEFT = Recent.map(20);

    private final Membership membership;
    private final SecretKeySpec key;
    private final SecureRandom random = new SecureRandom();

    LoginUnderWay(Membership membership) {
        this.membership = membership;
        String cluster = membership.settings().cluster();
        this.key = new SecretKeySpec(NativeCore.key("logins under way of " + cluster), "AES");
    }

    /** What realms here kept in a session and could not be carried, a few words each. */
    public static List<String> left() {
        synchronized (LEFT) {
            return LEFT.values().stream().sorted().toList();
        }
    }

    /** Whether this is a page of the realm itself, of which it sends people away or takes them. */
    static boolean isOfRealm(HttpServletRequest request) {
        return RequestPath.of(request).startsWith(REALM);
    }

    /**
     * What the realm has put into the session of a user who has not logged in yet goes with him.
     */
    void carry(HttpServletRequest request, HttpServletResponse response) {
        HttpSession session = request.getSession(false);
        if (session == null || response.isCommitted()) {
            return;
        }
        TreeMap<String, byte[]> state = new TreeMap<>();
        for (String name : Collections.list(session.getAttributeNames())) {
            Object value = session.getAttribute(name);
            if (value != null && NOT_THE_REALMS.stream().noneMatch(name::startsWith)) {
                try {
                    state.put(name, bytes(value));
                } catch (IOException | RuntimeException e) {
                    left(name, value.getClass().getName() + " is not serializable");
                }
            }
        }
        if (state.isEmpty()) {
            return;
        }
        try {
            String value = sealed(session.getId(), state);
            if (value.length() > MOST_CHARACTERS) {
                left("the whole", value.length() + " characters are too many for a cookie");
            } else {
                response.addHeader("Set-Cookie", header(request, value, VALID_MILLIS / 1000));
            }
        } catch (IOException | GeneralSecurityException e) {
            LOGGER.log(Level.WARNING, "A login under way is bound to this controller", e);
        }
    }

    /** Gives the session what the realm of another controller has put into its own. */
    void restore(HttpServletRequest request) {
        String value = Cookies.valueIn(request, NAME);
        if (value == null) {
            return;
        }
        try (ObjectInputStream in = new Trusted(opened(value))) {
            long age = membership.cluster().clockMillis() - in.readLong();
            String id = in.readUTF();
            HttpSession session = request.getSession(true);
            if (age > VALID_MILLIS || id.equals(session.getId())) {
                return;
            }
            int count = in.readInt();
            for (int i = 0; i < count; i++) {
                String name = in.readUTF();
                byte[] bytes = (byte[]) in.readObject();
                try (ObjectInputStream one = new Trusted(new ByteArrayInputStream(bytes))) {
                    session.setAttribute(name, one.readObject());
                }
            }
        } catch (IOException
                | GeneralSecurityException
                | ClassNotFoundException
                | RuntimeException e) {
            LOGGER.log(Level.FINE, "What came back from another site is no login of here", e);
        }
    }

    /** He has logged in. */
    void forget(HttpServletRequest request, HttpServletResponse response) {
        if (Cookies.valueIn(request, NAME) != null) {
            response.addHeader("Set-Cookie", header(request, "", 0));
        }
    }

    private static void left(String name, String why) {
        if (LEFT.put(name, name + ": " + why) == null) {
            LOGGER.log(
                    Level.INFO,
                    "Who logs in at another site must come back to this controller for what its"
                            + " session keeps as {0}: {1}",
                    new Object[] {name, why});
        }
    }

    /** As the session's own cookie, which crosses sites as the browser has it. */
    private static String header(HttpServletRequest request, String value, long seconds) {
        return Cookies.header(request, NAME, value, "; Max-Age=" + seconds);
    }

    private static byte[] bytes(Object value) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
            out.writeObject(value);
        }
        return bytes.toByteArray();
    }

    private String sealed(String session, Map<String, byte[]> state)
            throws IOException, GeneralSecurityException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ObjectOutputStream out = new ObjectOutputStream(new DeflaterOutputStream(bytes))) {
            out.writeLong(membership.cluster().clockMillis());
            out.writeUTF(session);
            out.writeInt(state.size());
            for (Map.Entry<String, byte[]> one : state.entrySet()) {
                out.writeUTF(one.getKey());
                out.writeObject(one.getValue());
            }
        }
        byte[] nonce = new byte[NONCE_BYTES];
        random.nextBytes(nonce);
        Cipher cipher = Cipher.getInstance(CIPHER);
        cipher.init(Cipher.ENCRYPT_MODE, key, new GCMParameterSpec(TAG_BITS, nonce));
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        all.write(nonce);
        all.write(cipher.doFinal(bytes.toByteArray()));
        return Base64.getUrlEncoder().withoutPadding().encodeToString(all.toByteArray());
    }

    private InputStream opened(String value) throws GeneralSecurityException {
        byte[] all = Base64.getUrlDecoder().decode(value);
        if (all.length < NONCE_BYTES) {
            throw new GeneralSecurityException("too short");
        }
        Cipher cipher = Cipher.getInstance(CIPHER);
        cipher.init(Cipher.DECRYPT_MODE, key, new GCMParameterSpec(TAG_BITS, all, 0, NONCE_BYTES));
        byte[] bytes = cipher.doFinal(all, NONCE_BYTES, all.length - NONCE_BYTES);
        return new InflaterInputStream(new ByteArrayInputStream(bytes));
    }

    /** Objects of whatever plugin, out of bytes that were sealed by a controller of the cluster. */
    private static final class Trusted extends ObjectInputStream {
        Trusted(InputStream in) throws IOException {
            super(in);
        }

        @Override
        protected Class<?> resolveClass(ObjectStreamClass type)
                throws IOException, ClassNotFoundException {
            try {
                return Class.forName(
                        type.getName(), false, Jenkins.get().getPluginManager().uberClassLoader);
            } catch (ClassNotFoundException e) {
                return super.resolveClass(type);
            }
        }
    }
}
