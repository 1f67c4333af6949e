package io.jenkins.plugins.ha.forwarding;

import jakarta.servlet.http.HttpServletResponse;

/**
 * What a controller makes of a request that another one has passed on to it. It stands in a header
 * of the answer, under a seal that covers the request's nonce: so who has passed it on knows that
 * the right controller has answered.
 */
enum Verdict {
    /** Jenkins has answered it. */
    PASSED(HttpServletResponse.SC_OK, ""),
    FORGED(
            HttpServletResponse.SC_FORBIDDEN,
            "No controller of this cluster has passed this request on as it is."),
    OTHERS(
            HttpServletResponse.SC_FORBIDDEN,
            "This request was meant for another controller, or for this one before it was started,"
                    + " or joined the cluster, again."),
    OLD(
            HttpServletResponse.SC_FORBIDDEN,
            "This request was passed on too long ago to be answered now."),
    REPEATED(
            HttpServletResponse.SC_FORBIDDEN,
            "This request was passed on, and received, before: it counts once."),
    STRANGER(
            HttpServletResponse.SC_FORBIDDEN,
            "The security realm of the controller that runs this build does not know you."),
    ELSEWHERE(
            HttpServletResponse.SC_SERVICE_UNAVAILABLE,
            "This build is not, or no longer, run by the controller that was asked. Nothing was"
                    + " done. Try again in a few seconds."),
    TOO_MANY(
            HttpServletResponse.SC_SERVICE_UNAVAILABLE,
            "The controller that runs this build is asked too much just now. Nothing was done. Try"
                    + " again in a few seconds.");

    /** The header of an answer. */
    static final String HEADER = "X-HA-Jenkins-Answer";

    private final int status;
    private final String sentence;

    Verdict(int status, String sentence) {
        this.status = status;
        this.sentence = sentence;
    }

    int status() {
        return status;
    }

    String sentence() {
        return sentence;
    }

    /** The header's value, by the controller of this id. */
    String sealed(RequestSeal key, String nonce, String controllerId) {
        return name() + "." + key.seal("answer", nonce, controllerId, name());
    }

    /** What a header says; null when not this controller has said it of this nonce. */
    static Verdict of(String header, RequestSeal key, String nonce, String controllerId) {
        for (Verdict verdict : values()) {
            if (header.startsWith(verdict.name() + ".")
                    && key.holds(
                            header.substring(verdict.name().length() + 1),
                            "answer",
                            nonce,
                            controllerId,
                            verdict.name())) {
                return verdict;
            }
        }
        return null;
    }
}
