package io.jenkins.plugins.ha;

import jakarta.servlet.http.HttpServletRequest;

/** Where a request goes. */
public final class RequestPath {
    private RequestPath() {}

    /** Its path below Jenkins' own address, encoded as it was sent, with a slash in front. */
    public static String of(HttpServletRequest request) {
        return request.getRequestURI().substring(request.getContextPath().length());
    }
}
