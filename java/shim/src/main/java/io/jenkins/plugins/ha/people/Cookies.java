package io.jenkins.plugins.ha.people;

import jakarta.servlet.http.Cookie;
import jakarta.servlet.http.HttpServletRequest;

/** What a browser sends of its cookies, and what it is told to keep. */
final class Cookies {
    private Cookies() {}

    /** The value of the first cookie of this name; null for none. */
    static String valueIn(HttpServletRequest request, String name) {
        Cookie[] cookies = request.getCookies();
        if (cookies != null) {
            for (Cookie cookie : cookies) {
                if (cookie.getName().equals(name)) {
                    return cookie.getValue();
                }
            }
        }
        return null;
    }

    /**
     * The value of a header {@code Set-Cookie}, for all of this Jenkins and not for scripts.
     *
     * @param attributes more of them, each with a semicolon before it
     */
    static String header(HttpServletRequest request, String name, String value, String attributes) {
        String path = request.getContextPath().isEmpty() ? "/" : request.getContextPath();
        return name
                + "="
                + value
                + "; Path="
                + path
                + "; HttpOnly"
                + (request.isSecure() ? "; Secure" : "")
                + attributes;
    }
}
