package io.jenkins.plugins.ha.jobs;

import hudson.init.InitMilestone;
import hudson.init.Initializer;
import hudson.util.PluginServletFilter;
import io.jenkins.plugins.ha.Membership;
import jakarta.servlet.Filter;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletResponse;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;

/**
 * Who posts a change that is not taken, because another controller made one at the same time, is
 * told so, and where his is: 409. Jenkins by itself would say that a problem occurred.
 */
public final class RefusalFilter implements Filter {
    /** From then on requests pass through it. */
    @Initializer(after = InitMilestone.JOB_CONFIG_ADAPTED)
    public static void install() throws ServletException {
        if (Membership.active().isPresent()) {
            PluginServletFilter.addFilter(new RefusalFilter());
        }
    }

    @Override
    public void doFilter(ServletRequest request, ServletResponse response, FilterChain chain)
            throws IOException, ServletException {
        try {
            chain.doFilter(request, response);
        } catch (IOException | ServletException | RuntimeException e) {
            SaveGuard.Refused refused = SaveGuard.Refused.in(e);
            if (refused == null || response.isCommitted()) {
                throw e;
            }
            ((HttpServletResponse) response)
                    .sendError(HttpServletResponse.SC_CONFLICT, refused.getMessage());
        }
    }
}
