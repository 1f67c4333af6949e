package io.jenkins.plugins.ha.people;

import hudson.model.User;
import hudson.security.ChainedServletFilter2;
import hudson.security.HudsonFilter;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.RequestPath;
import io.jenkins.plugins.ha.forwarding.ReceivingFilter;
import io.jenkins.plugins.ha.linkage.UsesByReflection;
import jakarta.servlet.Filter;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.ServletOutputStream;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletResponse;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.http.HttpServletResponseWrapper;
import jakarta.servlet.http.HttpSession;
import java.io.IOException;
import java.io.PrintWriter;
import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.List;
import java.util.logging.Level;
import java.util.logging.Logger;
import jenkins.model.Jenkins;
import org.springframework.security.authentication.AnonymousAuthenticationToken;
import org.springframework.security.core.Authentication;
import org.springframework.security.core.context.SecurityContextHolder;
import org.springframework.security.core.userdetails.UsernameNotFoundException;

/**
 * Gives who logs in a {@link LoginCookie}, and lets in with it who has no session on this
 * controller. Its place is in the realm's own chain of filters, behind the one that looks for a
 * session: everything after it, crumbs and pages, finds a user who has logged in. A new realm makes
 * a new chain, so its place is looked after. Thread-safe.
 */
@UsesByReflection({
    "field hudson.security.HudsonFilter filter Ljakarta/servlet/Filter;",
    "field hudson.security.ChainedServletFilter2 filters [Ljakarta/servlet/Filter;"
})
public final class LoginFilter implements Filter {
    private static final Logger LOGGER = Logger.getLogger(LoginFilter.class.getName());
    private static final String SESSION_FILTER = "HttpSessionContextIntegrationFilter2";
    private static final String LOGIN = "/j_spring_security_check";
    private static final String LOGOUT = "/logout";
    private static final String SESSION_SEED = "_JENKINS_SESSION_SEED";

    private final LoginCookie cookie;
    private final LoginUnderWay underWay;

    private LoginFilter(Membership membership) {
        this.cookie = new LoginCookie(membership);
        this.underWay = new LoginUnderWay(membership);
    }

    /**
     * Puts it where it belongs, if it is not there and people log in at all, and before it the
     * {@link ReceivingFilter}. Does not block.
     */
    public static void ensureInPlace() {
        Membership membership = Membership.active().orElse(null);
        Jenkins jenkins = Jenkins.getInstanceOrNull();
        if (membership == null || jenkins == null || jenkins.getServletContext() == null) {
            return;
        }
        try {
            HudsonFilter root = HudsonFilter.get(jenkins.getServletContext());
            if (root != null
                    && value(HudsonFilter.class, "filter", root)
                            instanceof ChainedServletFilter2 chain) {
                putInto(chain, membership);
            }
        } catch (ReflectiveOperationException e) {
            LOGGER.log(
                    Level.WARNING,
                    "People have to log in on each controller, and nothing can be passed on to this"
                            + " one",
                    e);
        }
    }

    private static synchronized void putInto(ChainedServletFilter2 chain, Membership membership)
            throws ReflectiveOperationException {
        Filter[] present = (Filter[]) value(ChainedServletFilter2.class, "filters", chain);
        List<Filter> filters = new ArrayList<>(List.of(present));
        if (filters.stream().anyMatch(ReceivingFilter.class::isInstance)) {
            return;
        }
        int place = 0;
        for (int i = 0; i < filters.size(); i++) {
            if (filters.get(i).getClass().getSimpleName().equals(SESSION_FILTER)) {
                place = i + 1;
                filters.add(place, new LoginFilter(membership));
                break;
            }
        }
        // where nobody logs in, too
        filters.add(place, new ReceivingFilter(membership));
        chain.setFilters(filters);
    }

    private static Object value(Class<?> type, String name, Object of)
            throws ReflectiveOperationException {
        Field field = type.getDeclaredField(name);
        field.setAccessible(true);
        return field.get(of);
    }

    @Override
    public void doFilter(ServletRequest request, ServletResponse response, FilterChain chain)
            throws IOException, ServletException {
        if (request instanceof HttpServletRequest http
                && response instanceof HttpServletResponse answer
                && http.getHeader("Authorization") == null
                && !ReceivingFilter.isReceived(http)) {
            filter(http, answer, chain);
        } else {
            chain.doFilter(request, response);
        }
    }

    private void filter(HttpServletRequest request, HttpServletResponse response, FilterChain chain)
            throws IOException, ServletException {
        String path = RequestPath.of(request);
        if (path.equals(LOGOUT) || path.equals(LOGOUT + "/")) {
            response.addHeader("Set-Cookie", LoginCookie.goneHeader(request));
            chain.doFilter(request, response);
            return;
        }
        if (path.equals(LOGIN)) {
            // The answer is sent before core asks for the session, which then cannot be made.
            request.getSession(true);
        } else if (somebody() != null) {
            renew(request, response);
            chain.doFilter(request, response);
            return;
        } else {
            User user = cookie.user(request);
            if (user != null && letIn(user, request)) {
                chain.doFilter(request, response);
                return;
            }
            if (LoginUnderWay.isOfRealm(request)) {
                underWay.restore(request);
            }
        }
        chain.doFilter(request, new Answer(request, response));
    }

    private void renew(HttpServletRequest request, HttpServletResponse response) {
        HttpSession session = request.getSession(false);
        User user = User.getById(somebody(), false);
        if (session != null
                && user != null
                && LoginCookie.seed(user).equals(session.getAttribute(SESSION_SEED))
                && cookie.isOld(request, user.getId())) {
            response.addHeader("Set-Cookie", cookie.header(request, user));
        }
    }

    /** As after a login here, with what the realm says of the user now. */
    private static boolean letIn(User user, HttpServletRequest request) {
        try {
            Authentication who = user.impersonate2();
            request.getSession(true).setAttribute(SESSION_SEED, LoginCookie.seed(user));
            SecurityContextHolder.getContext().setAuthentication(who);
            return true;
        } catch (UsernameNotFoundException e) {
            LOGGER.log(Level.FINE, "The realm does not know {0} any more", user.getId());
            return false;
        }
    }

    /** The id of who has logged in; null for nobody. */
    private static String somebody() {
        Authentication who = SecurityContextHolder.getContext().getAuthentication();
        return who == null || !who.isAuthenticated() || who instanceof AnonymousAuthenticationToken
                ? null
                : who.getName();
    }

    /** A login, by whatever realm, ends in a redirect: the cookie goes with it. */
    private final class Answer extends HttpServletResponseWrapper {
        private final HttpServletRequest request;
        private boolean added;

        Answer(HttpServletRequest request, HttpServletResponse response) {
            super(response);
            this.request = request;
        }

        @Override
        public void sendRedirect(String location) throws IOException {
            addCookies();
            super.sendRedirect(location);
        }

        @Override
        public ServletOutputStream getOutputStream() throws IOException {
            addCookiesOfRealm();
            return super.getOutputStream();
        }

        @Override
        public PrintWriter getWriter() throws IOException {
            addCookiesOfRealm();
            return super.getWriter();
        }

        /** A realm may send a page that leads on by itself, and Stapler redirects by a header. */
        private void addCookiesOfRealm() {
            if (LoginUnderWay.isOfRealm(request)) {
                addCookies();
            }
        }

        private void addCookies() {
            if (added || isCommitted()) {
                return;
            }
            String id = somebody();
            if (id != null) {
                User user = User.getById(id, true);
                addHeader("Set-Cookie", cookie.header(request, user));
                underWay.forget(request, this);
                added = true;
            } else if (LoginUnderWay.isOfRealm(request)) {
                underWay.carry(request, this);
                added = true;
            }
        }
    }
}
