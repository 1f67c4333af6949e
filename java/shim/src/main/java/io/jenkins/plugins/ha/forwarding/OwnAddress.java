package io.jenkins.plugins.ha.forwarding;

import jakarta.servlet.http.HttpServletRequest;
import java.util.concurrent.atomic.AtomicReference;
import java.util.regex.Pattern;
import jenkins.util.SystemProperties;

/**
 * Where other controllers reach this one: as it is set, else as it is seen by the requests that
 * reach it, such as those of the load balancer's health check. Thread-safe.
 */
final class OwnAddress {
    private static final String PROPERTY = "io.jenkins.plugins.ha.address";
    private static final String VARIABLE = "HA_JENKINS_ADDRESS";

    /** Set by the servlet container where the connection itself is encrypted. */
    private static final String CIPHER = "jakarta.servlet.request.cipher_suite";

    /** Of the machine itself: to be reached from there alone. */
    private static final Pattern LOCAL = Pattern.compile("127\\..*|::1|(?:0+:){7}0*1");

    private final String set;
    private final AtomicReference<Seen> seen = new AtomicReference<>();

    private record Seen(String address, boolean local) {}

    /**
     * @param url where people reach this controller itself, or ""
     */
    OwnAddress(String url) {
        String address = SystemProperties.getString(PROPERTY, System.getenv(VARIABLE));
        this.set = withoutSlash(address == null || address.isBlank() ? url : address);
    }

    /** A URL with the context path, without a slash at its end; "" while it is not known. */
    String get() {
        Seen known = seen.get();
        return !set.isEmpty() || known == null ? set : known.address;
    }

    /** A request has reached this controller: at one of its own addresses, whoever sent it. */
    void reachedBy(HttpServletRequest request) {
        Seen known = seen.get();
        if (!set.isEmpty() || known != null && !known.local) {
            return;
        }
        String host = String.valueOf(request.getLocalAddr()).replaceAll("[\\[\\]]", "");
        if (host.isBlank() || host.equals("null") || request.getLocalPort() <= 0) {
            return;
        }
        boolean local = LOCAL.matcher(host).matches();
        if (known != null && local) {
            return; // from the same machine, as before
        }
        String scheme = request.getAttribute(CIPHER) == null ? "http" : "https";
        String address =
                scheme
                        + "://"
                        + (host.contains(":") ? "[" + host + "]" : host)
                        + ":"
                        + request.getLocalPort()
                        + request.getContextPath();
        seen.compareAndSet(known, new Seen(address, local));
    }

    /** It as it is told to others; "" for none. */
    static String withoutSlash(String url) {
        return url == null ? "" : url.trim().replaceAll("/+$", "");
    }
}
