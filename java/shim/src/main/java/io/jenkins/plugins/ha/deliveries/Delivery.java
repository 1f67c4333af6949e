package io.jenkins.plugins.ha.deliveries;

import hudson.security.ACL;
import io.jenkins.plugins.ha.bridge.Turn;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import jenkins.model.Jenkins;

/**
 * A POST that its sender can name: the same id, sent by the same user to the same address, is the
 * same delivery.
 */
final class Delivery {
    private static final String ANY = "Idempotency-Key";

    /**
     * Headers whose value stays when a delivery is sent again, and is used for no other. GitLab's
     * X-Gitlab-Event-UUID and X-Gitlab-Webhook-UUID are not among them: different events may share
     * them. (GitLab sends an Idempotency-Key.)
     */
    private static final List<String> IDS =
            List.of(
                    ANY,
                    "X-GitHub-Delivery",
                    "X-Gitea-Delivery",
                    "X-Forgejo-Delivery",
                    "X-Gogs-Delivery");

    /** Bitbucket's, Cloud and Data Center; proxies use the second for what they please. */
    private static final List<String> BITBUCKET = List.of("X-Request-UUID", "X-Request-Id");

    private static final String BITBUCKET_EVENT = "X-Event-Key";

    private static final int LONGEST_ID = 512;

    private final String header;
    private final String id;
    private final String key;
    private final boolean anonymous;

    private Delivery(String header, String id, String address) {
        this.header = header;
        this.id = id;
        this.anonymous = ACL.isAnonymous2(Jenkins.getAuthentication2());
        this.key =
                "delivery:"
                        + hash(
                                String.join(
                                        "\n",
                                        header,
                                        id,
                                        Jenkins.getAuthentication2().getName(),
                                        address));
    }

    /** Null when it is no such request. */
    static Delivery of(HttpServletRequest request) {
        if (!"POST".equals(request.getMethod())) {
            return null;
        }
        String address = request.getRequestURI() + "?" + request.getQueryString();
        for (String header : IDS) {
            if (usable(request.getHeader(header))) {
                return new Delivery(header, request.getHeader(header), address);
            }
        }
        if (request.getHeader(BITBUCKET_EVENT) != null) {
            for (String header : BITBUCKET) {
                if (usable(request.getHeader(header))) {
                    return new Delivery(header, request.getHeader(header), address);
                }
            }
        }
        return null;
    }

    /** What it is called in the cluster. */
    String key() {
        return key;
    }

    /** Whether its sender did not log in. */
    boolean isAnonymous() {
        return anonymous;
    }

    /** What is remembered of the answer that it was given. */
    String note(HttpServletResponse answer) {
        String location = answer.getHeader("Location");
        return answer.getStatus() + " " + (location == null ? "" : location);
    }

    /**
     * Answers whoever sends it again. Who named his request by an Idempotency-Key gets the status
     * and place that the first one got, hence the queue item; a webhook 200, which all senders take
     * for success.
     */
    void answer(Turn turn, HttpServletResponse response) throws IOException {
        String text;
        if (turn.state() == Turn.State.UNDERWAY) {
            response.setStatus(HttpServletResponse.SC_SERVICE_UNAVAILABLE);
            response.setHeader("Retry-After", "5");
            text = "is still being dealt with: send it again later to hear how it went.";
        } else {
            int space = turn.note().indexOf(' ');
            response.setStatus(HttpServletResponse.SC_OK);
            if (header.equals(ANY) && space > 0) {
                response.setStatus(Integer.parseInt(turn.note().substring(0, space)));
                String location = turn.note().substring(space + 1);
                if (!location.isEmpty()) {
                    response.setHeader("Location", location);
                }
            }
            text =
                    "was delivered before, and dealt with; nothing is done again. It is forgotten"
                            + " some minutes after it came first, and can be sent again then.";
        }
        response.setContentType("text/plain;charset=UTF-8");
        response.getOutputStream()
                .write(
                        (header + " " + shown() + " " + text + "\n")
                                .getBytes(StandardCharsets.UTF_8));
    }

    @Override
    public String toString() {
        return "delivery " + shown() + " (" + header + ")";
    }

    /** The id, as it can be shown. */
    String shown() {
        return id.replaceAll("[^A-Za-z0-9._:-]", "?");
    }

    /** Headers that tell a delivery apart: a redelivery has others. */
    static boolean isId(String name) {
        return IDS.stream().anyMatch(name::equalsIgnoreCase)
                || BITBUCKET.stream().anyMatch(name::equalsIgnoreCase);
    }

    private static boolean usable(String id) {
        return id != null && !id.isBlank() && id.length() <= LONGEST_ID;
    }

    private static String hash(String text) {
        try {
            byte[] hash =
                    MessageDigest.getInstance("SHA-256")
                            .digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(hash, 0, 16);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
