package io.jenkins.plugins.ha.trace;

import hudson.model.Api;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.bridge.HaException;
import jakarta.servlet.http.HttpServletResponse;
import org.kohsuke.stapler.HttpResponses;
import org.kohsuke.stapler.StaplerProxy;

/**
 * {@code /ha/item/N/}: what happened to a queue item, for who may read its job; {@code
 * /ha/item/N/api/json} says the same. 404 where nothing is known, 503 while Redis is away.
 */
public final class TracePage implements StaplerProxy {
    private final TracedItem found;

    private TracePage(TracedItem found) {
        this.found = found;
    }

    /** Null, which is answered with 404, where there is no such item. */
    public static TracePage of(String id) {
        Membership membership = Membership.active().orElse(null);
        if (membership == null || !id.matches("\\d{1,15}")) {
            return null;
        }
        try {
            return TracedItem.find(membership, Long.parseLong(id)).map(TracePage::new).orElse(null);
        } catch (HaException e) {
            throw HttpResponses.errorWithoutStack(
                    HttpServletResponse.SC_SERVICE_UNAVAILABLE, e.getMessage());
        }
    }

    /**
     * This page. Jenkins serves objects of some types alone, such as a StaplerProxy; without being
     * one this page is a 404.
     */
    @Override
    public Object getTarget() {
        return this;
    }

    /** For the page. */
    public TracedItem getFound() {
        return found;
    }

    public Api getApi() {
        return new Api(found);
    }
}
