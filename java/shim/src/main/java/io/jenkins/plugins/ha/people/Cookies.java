package io.jenkins.plugins.ha.people;

import jakarta.servlet.http.Cookie;
import jakarta.servlet.http.HttpServletRequest;

/** What a browser sends of its cookies. */
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
}
