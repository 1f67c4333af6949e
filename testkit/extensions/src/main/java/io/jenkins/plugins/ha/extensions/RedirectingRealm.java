package io.jenkins.plugins.ha.extensions;

import hudson.model.User;
import hudson.security.HudsonPrivateSecurityRealm;
import jakarta.servlet.http.HttpSession;
import java.io.IOException;
import java.io.Serializable;
import java.util.UUID;
import jenkins.security.SecurityListener;
import org.kohsuke.stapler.StaplerRequest2;
import org.kohsuke.stapler.StaplerResponse2;
import org.springframework.security.core.context.SecurityContextHolder;

/**
 * Users log in at another site, as with SAML or OpenID: the session remembers what they come back
 * with. The site is not there; a test says who has logged in.
 */
public final class RedirectingRealm extends HudsonPrivateSecurityRealm {
    private static final String ATTRIBUTE = RedirectingRealm.class.getName();

    /** What such a realm keeps: a secret that comes back, and where the user wanted to go. */
    private record State(String secret, String from) implements Serializable {}

    /** By this name in the configuration. */
    public RedirectingRealm() {
        super(false, false, null);
    }

    @Override
    public String getLoginUrl() {
        return "securityRealm/commenceLogin";
    }

    /** Sends the browser to the other site. */
    public void doCommenceLogin(StaplerRequest2 request, StaplerResponse2 response)
            throws IOException {
        State state = new State(UUID.randomUUID().toString(), request.getParameter("from"));
        HttpSession session = request.getSession(true);
        session.setAttribute(ATTRIBUTE, state);
        session.setAttribute(ATTRIBUTE + ".thread", Thread.currentThread());
        response.sendRedirect("https://login.example.invalid/?state=" + state.secret());
    }

    /** The other site sends the browser back. */
    public void doFinishLogin(StaplerRequest2 request, StaplerResponse2 response)
            throws IOException {
        HttpSession session = request.getSession(false);
        State state = session == null ? null : (State) session.getAttribute(ATTRIBUTE);
        if (state == null || !state.secret().equals(request.getParameter("state"))) {
            response.sendError(401, "this login did not begin here");
            return;
        }
        User user = User.getById(request.getParameter("user"), true);
        session.invalidate();
        request.getSession(true);
        SecurityContextHolder.getContext().setAuthentication(user.impersonate2());
        SecurityListener.fireLoggedIn(user.getId());
        response.sendRedirect(request.getContextPath() + "/" + state.from());
    }
}
