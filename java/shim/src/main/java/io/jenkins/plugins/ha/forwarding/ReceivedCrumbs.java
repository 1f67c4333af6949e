package io.jenkins.plugins.ha.forwarding;

import hudson.Extension;
import hudson.security.csrf.CrumbExclusion;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;

/** The crumb of a request was checked on the controller that has passed it on. */
@Extension(ordinal = 1000)
public final class ReceivedCrumbs extends CrumbExclusion {
    @Override
    public boolean process(
            HttpServletRequest request, HttpServletResponse response, FilterChain chain)
            throws IOException, ServletException {
        if (!ReceivedRequest.is(request)) {
            return false;
        }
        chain.doFilter(request, response);
        return true;
    }
}
