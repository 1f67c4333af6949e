package io.jenkins.plugins.ha.people;

import hudson.Extension;
import hudson.security.csrf.CrumbExclusion;
import hudson.security.csrf.CrumbIssuer;
import hudson.security.csrf.DefaultCrumbIssuer;
import io.jenkins.plugins.ha.Membership;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.Cookie;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletRequestWrapper;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.http.HttpSession;
import java.io.IOException;
import java.lang.reflect.Proxy;
import jenkins.model.Jenkins;

/**
 * A crumb of a page that another controller has made. It belongs to the session there; its id
 * stands in the browser's cookie, so it is checked as that controller would, with core's own issuer
 * and the salt that all share. Who cannot read the browser's cookies cannot make one, as on one
 * Jenkins.
 */
@Extension
public final class CrumbsOfOthers extends CrumbExclusion {
    private static final String SESSION = "JSESSIONID.";

    /** So many sessions of other controllers are looked at. */
    private static final int MOST = 16;

    @Override
    public boolean process(
            HttpServletRequest request, HttpServletResponse response, FilterChain chain)
            throws IOException, ServletException {
        CrumbIssuer issuer = Jenkins.get().getCrumbIssuer();
        Cookie[] cookies = request.getCookies();
        if (Membership.active().isEmpty()
                || cookies == null
                || issuer == null
                || issuer.getClass() != DefaultCrumbIssuer.class) {
            return false;
        }
        String field = issuer.getDescriptor().getCrumbRequestField();
        String crumb = request.getHeader(field);
        if (crumb == null) {
            crumb = request.getParameter(field);
        }
        String salt = issuer.getDescriptor().getCrumbSalt();
        if (crumb == null || issuer.validateCrumb(request, salt, crumb)) {
            return false; // as ever
        }
        int looked = 0;
        for (Cookie one : cookies) {
            if (one.getName().startsWith(SESSION) && looked < MOST) {
                looked++;
                if (issuer.validateCrumb(new InSession(request, one.getValue()), salt, crumb)) {
                    chain.doFilter(request, response);
                    return true;
                }
            }
        }
        return false;
    }

    /** The request as in another controller's session. */
    private static final class InSession extends HttpServletRequestWrapper {
        private final String id;

        InSession(HttpServletRequest request, String cookie) {
            super(request);
            int worker = cookie.lastIndexOf('.'); // the server's own name behind the id
            this.id = worker < 0 ? cookie : cookie.substring(0, worker);
        }

        @Override
        public HttpSession getSession() {
            return getSession(true);
        }

        @Override
        public HttpSession getSession(boolean create) {
            return (HttpSession)
                    Proxy.newProxyInstance(
                            HttpSession.class.getClassLoader(),
                            new Class<?>[] {HttpSession.class},
                            (proxy, method, arguments) -> {
                                if (method.getName().equals("getId")) {
                                    return id;
                                }
                                throw new UnsupportedOperationException(method.getName());
                            });
        }
    }
}
