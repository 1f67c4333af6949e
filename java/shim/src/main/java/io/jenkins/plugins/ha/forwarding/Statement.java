package io.jenkins.plugins.ha.forwarding;

import jakarta.servlet.http.HttpServletRequest;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/**
 * What one controller says to another of a request that it passes on; it stands in a header, under
 * a seal that covers the request's method, address and type, too.
 *
 * @param from id of the controller that was asked
 * @param to id of the controller that is to answer
 * @param life the boot and the membership of that one: what was meant for an earlier one, such as
 *     before a stall in which others took its work, counts no more
 * @param at when it was said, ms of Redis' clock
 * @param nonce drawn anew for each request
 * @param user id of who asks; "" for who has not logged in
 * @param session id of his session where he asked, to which the crumbs of his pages belong; or ""
 * @param digest SHA-256 of the body
 */
record Statement(
        String from,
        String to,
        String life,
        long at,
        String nonce,
        String user,
        String session,
        String digest) {
    /** The header of a request that holds it. */
    static final String HEADER = "X-HA-Jenkins-Forwarded";

    private static final int PARTS = 8;

    /** Longer than any that a controller makes. */
    private static final int LONGEST = 8192;

    /** Whether a request says that another controller has passed it on, be it true or not. */
    static boolean isOn(HttpServletRequest request) {
        return request.getHeader(HEADER) != null;
    }

    /** The header's value. */
    String sealed(RequestSeal key, String method, String uri, String type) {
        String text = text();
        return text + "." + key.seal("request", method, uri, type, text);
    }

    /** What a request's header says; null when no controller of this cluster has said it. */
    static Statement of(HttpServletRequest request, RequestSeal key) {
        String header = request.getHeader(HEADER);
        int dot = header == null || header.length() > LONGEST ? -1 : header.lastIndexOf('.');
        if (dot < 0) {
            return null;
        }
        String text = header.substring(0, dot);
        String query = request.getQueryString();
        String uri = request.getRequestURI() + (query == null ? "" : "?" + query);
        String type = request.getContentType() == null ? "" : request.getContentType();
        return key.holds(header.substring(dot + 1), "request", request.getMethod(), uri, type, text)
                ? ofText(text)
                : null;
    }

    private String text() {
        List<String> parts = new ArrayList<>();
        for (String part :
                List.of(from, to, life, Long.toString(at), nonce, user, session, digest)) {
            parts.add(
                    Base64.getUrlEncoder()
                            .withoutPadding()
                            .encodeToString(part.getBytes(StandardCharsets.UTF_8)));
        }
        return String.join(".", parts);
    }

    private static Statement ofText(String text) {
        String[] parts = text.split("\\.", -1);
        if (parts.length != PARTS) {
            return null; // of another version of the plugin
        }
        try {
            for (int i = 0; i < PARTS; i++) {
                parts[i] =
                        new String(Base64.getUrlDecoder().decode(parts[i]), StandardCharsets.UTF_8);
            }
            return new Statement(
                    parts[0],
                    parts[1],
                    parts[2],
                    Long.parseLong(parts[3]),
                    parts[4],
                    parts[5],
                    parts[6],
                    parts[7]);
        } catch (IllegalArgumentException e) {
            return null;
        }
    }
}
