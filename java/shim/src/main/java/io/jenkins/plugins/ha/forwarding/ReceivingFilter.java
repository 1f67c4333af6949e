package io.jenkins.plugins.ha.forwarding;

import hudson.model.Run;
import hudson.model.User;
import hudson.security.ACL;
import hudson.security.ACLContext;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.RequestPath;
import io.jenkins.plugins.ha.builds.ReadOnlyCopies;
import io.jenkins.plugins.ha.commands.StopFilter;
import jakarta.servlet.Filter;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletResponse;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.http.HttpServletResponseWrapper;
import java.io.IOException;
import java.util.UUID;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.springframework.security.core.Authentication;
import org.springframework.security.core.AuthenticationException;

/**
 * Lets in what another controller has passed on to this one, as the user whom that one names and
 * with what this controller's own security realm says of him. Jenkins checks his permissions as
 * ever. Its place is in the realm's chain of filters, before anything asks who he is. Thread-safe.
 */
@SuppressWarnings("try") // who acts is settled by having the context open
public final class ReceivingFilter implements Filter {
    private static final Logger LOGGER = Logger.getLogger(ReceivingFilter.class.getName());

    private final Membership membership;

    public ReceivingFilter(Membership membership) {
        this.membership = membership;
    }

    @Override
    public void doFilter(ServletRequest request, ServletResponse response, FilterChain chain)
            throws IOException, ServletException {
        if (!(request instanceof HttpServletRequest http)
                || !(response instanceof HttpServletResponse answer)) {
            chain.doFilter(request, response);
            return;
        }
        Forwarding forwarding = membership.forwarding();
        if (!Statement.isOn(http)) {
            forwarding.reach().own().reachedBy(http);
            chain.doFilter(request, response);
            return;
        }
        Statement statement = Statement.of(http, forwarding.key());
        Verdict verdict =
                statement == null ? Verdict.FORGED : judged(statement, forwarding.nonces());
        if (verdict != Verdict.PASSED) {
            refuse(verdict, statement, answer, forwarding);
            return;
        }
        try (Body body = Body.of(http.getInputStream(), Forwarding.LONGEST_BODY)) {
            if (!body.digest().equals(statement.digest())) {
                refuse(Verdict.FORGED, statement, answer, forwarding);
            } else if (Forwarding.PING.equals(RequestPath.of(http))) {
                Answer sealed = new Answer(answer, sealed(Verdict.PASSED, statement, forwarding));
                sealed.setStatus(HttpServletResponse.SC_NO_CONTENT);
            } else {
                admit(
                        statement,
                        new ReceivedRequest(http, body, session(statement)),
                        answer,
                        chain);
            }
        }
    }

    /** Whether another controller has passed a request on, and it was let in. */
    public static boolean isReceived(HttpServletRequest request) {
        return ReceivedRequest.is(request);
    }

    private Verdict judged(Statement statement, Nonces nonces) {
        if (!statement.to().equals(membership.identity().id())
                || !statement.life().equals(membership.forwarding().reach().life())) {
            return Verdict.OTHERS;
        }
        long age = Math.abs(membership.cluster().clockMillis() - statement.at());
        return age > Forwarding.FRESH_MILLIS ? Verdict.OLD : nonces.take(statement.nonce());
    }

    private void admit(
            Statement statement,
            ReceivedRequest request,
            HttpServletResponse response,
            FilterChain chain)
            throws IOException, ServletException {
        Forwarding forwarding = membership.forwarding();
        Authentication user = null;
        if (!statement.user().isEmpty()) {
            try {
                user = User.getById(statement.user(), true).impersonate2();
            } catch (AuthenticationException e) { // unknown, locked, or the realm is not to be had
                LOGGER.log(Level.FINE, "Not let in: " + statement.user(), e);
                refuse(Verdict.STRANGER, statement, response, forwarding);
                return;
            }
        }
        if (user == null) {
            admitted(statement, request, response, chain);
        } else {
            try (ACLContext asUser = ACL.as2(user)) {
                admitted(statement, request, response, chain);
            }
        }
    }

    private void admitted(
            Statement statement,
            ReceivedRequest request,
            HttpServletResponse response,
            FilterChain chain)
            throws IOException, ServletException {
        Forwarding forwarding = membership.forwarding();
        ForwardedPath path = ForwardedPath.of(RequestPath.of(request));
        Run<?, ?> run = path == null ? null : StopFilter.build(path.job(), path.build());
        if (path == null
                || !actsIn(statement.life())
                || run != null && ReadOnlyCopies.ownerOf(membership, run) != null) {
            refuse(Verdict.ELSEWHERE, statement, response, forwarding);
            return;
        }
        // one that has ended meanwhile, or that the user may not see, Jenkins answers for as ever
        chain.doFilter(
                request, new Answer(response, sealed(Verdict.PASSED, statement, forwarding)));
    }

    /**
     * Whether this is still the membership in which the request was meant for it. The lease first:
     * one that is held now may be of a later membership, but then it is seen by that.
     */
    private boolean actsIn(String life) {
        return membership.cluster().holdsLease()
                && life.equals(membership.forwarding().reach().life());
    }

    private static String session(Statement statement) {
        return statement.session().isEmpty() ? UUID.randomUUID().toString() : statement.session();
    }

    private String sealed(Verdict verdict, Statement statement, Forwarding forwarding) {
        return verdict.sealed(forwarding.key(), statement.nonce(), membership.identity().id());
    }

    private void refuse(
            Verdict verdict,
            Statement statement,
            HttpServletResponse response,
            Forwarding forwarding)
            throws IOException {
        if (statement != null) {
            response.setHeader(Verdict.HEADER, sealed(verdict, statement, forwarding));
        }
        Forwarding.say(response, verdict.status(), verdict.sentence());
    }

    /** Keeps the header that says who has answered, whatever Jenkins does with the others. */
    private static final class Answer extends HttpServletResponseWrapper {
        private final String verdict;

        Answer(HttpServletResponse response, String verdict) {
            super(response);
            this.verdict = verdict;
            setHeader(Verdict.HEADER, verdict);
        }

        @Override
        public void reset() {
            super.reset();
            setHeader(Verdict.HEADER, verdict);
        }
    }
}
