package io.jenkins.plugins.ha.settings;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * A URL of Redis or of the database, and the password that was written inside it: the one is shown
 * and kept as it is, the other is not.
 *
 * @param url the URL without the password; a user stays in it
 * @param password the password as it is meant, not encoded; "" when there was none
 */
record LoginUrl(String url, String password) {
    /** Takes the password out of {@code user:password@} and of an option {@code password=}. */
    static LoginUrl of(String text) {
        int scheme = text.indexOf("://");
        if (scheme < 0) {
            return new LoginUrl(text, "");
        }
        int start = scheme + 3;
        int end = start;
        while (end < text.length() && "/?#".indexOf(text.charAt(end)) < 0) {
            end++;
        }
        String hosts = text.substring(start, end);
        String rest = text.substring(end);
        String password = "";
        int at = hosts.lastIndexOf('@');
        int colon = hosts.indexOf(':');
        if (colon >= 0 && colon < at) {
            password = decoded(hosts.substring(colon + 1, at));
            // nobody before the password is nobody without it
            hosts = hosts.substring(0, colon) + hosts.substring(colon == 0 ? at + 1 : at);
        }
        int question = rest.indexOf('?');
        if (question >= 0) {
            List<String> options = new ArrayList<>();
            for (String option : rest.substring(question + 1).split("&")) {
                if (option.startsWith("password=")) {
                    password = decoded(option.substring("password=".length()));
                } else if (!option.isEmpty()) {
                    options.add(option);
                }
            }
            rest =
                    rest.substring(0, question)
                            + (options.isEmpty() ? "" : "?" + String.join("&", options));
        }
        return new LoginUrl(text.substring(0, start) + hosts + rest, password);
    }

    /** Without the password. */
    @Override
    public String toString() {
        return url;
    }

    private static String decoded(String text) {
        try {
            return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) { // a percent sign that stands for itself
            return text;
        }
    }
}
