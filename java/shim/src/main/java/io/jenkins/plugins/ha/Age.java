package io.jenkins.plugins.ha;

import hudson.Util;

/** How long ago something was, for people. */
public final class Age {
    private Age() {}

    /**
     * As Jenkins says a span of time; of what another controller's fast clock has in the future, a
     * span of nothing.
     *
     * @param millis when it was, ms since 1970
     */
    public static String since(long millis) {
        return Util.getTimeSpanString(Math.max(0, System.currentTimeMillis() - millis));
    }
}
