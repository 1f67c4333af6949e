package io.jenkins.plugins.ha.forwarding;

import hudson.model.Run;
import hudson.security.ACL;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpSession;
import java.io.Closeable;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpRequest;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import jenkins.model.Jenkins;
import org.springframework.security.core.Authentication;

/** A request of a user as it is sent to the controller that can answer it. */
final class PassedRequest implements Closeable {
    /** What a page needs. Whatever may say who somebody is stays here. */
    private static final List<String> HEADERS =
            List.of(
                    "Accept",
                    "Accept-Language",
                    "If-Match",
                    "If-Modified-Since",
                    "If-None-Match",
                    "Range",
                    "Referer",
                    "User-Agent",
                    "X-Requested-With");

    /** What may stand in a header. */
    private static final String SENDABLE = "[\\t\\x20-\\x7E\\x80-\\xFF]*";

    private static final String FORM = "application/x-www-form-urlencoded;charset=UTF-8";

    private final String method;

    /** Below the context path, as it is sent. */
    private final String path;

    private final String type;
    private final String user;
    private final String session;
    private final Body body;
    private final Map<String, String> headers = new LinkedHashMap<>();

    /**
     * @param rest what is below the build's address
     * @throws Body.TooLong when its body is longer than what may be passed on
     */
    PassedRequest(HttpServletRequest request, Run<?, ?> run, String rest) throws IOException {
        this.method = request.getMethod();
        String query = request.getQueryString();
        this.path = "/" + run.getUrl() + encoded(rest + (query == null ? "" : "?" + query));
        Authentication who = Jenkins.getAuthentication2();
        this.user = ACL.isAnonymous2(who) ? "" : who.getName();
        this.session = session(request);
        if (ReceivedRequest.isForm(request)) {
            this.type = FORM;
            this.body = Body.of(form(request).getBytes(StandardCharsets.UTF_8));
        } else {
            String given = request.getContentType();
            this.type = given == null || !given.matches(SENDABLE) ? "" : given;
            this.body = Body.of(request.getInputStream(), Forwarding.LONGEST_BODY);
        }
        for (String name : HEADERS) {
            String value = request.getHeader(name);
            if (value != null && value.matches(SENDABLE)) {
                headers.put(name, value);
            }
        }
        boolean usual =
                Set.of("http:80", "https:443")
                        .contains(request.getScheme() + ":" + request.getServerPort());
        headers.put(
                "X-Forwarded-Host",
                request.getServerName() + (usual ? "" : ":" + request.getServerPort()));
        headers.put("X-Forwarded-Proto", request.getScheme());
        // crumbs may be made of it, and of the first of several
        String before = request.getHeader("X-Forwarded-For");
        headers.put("X-Forwarded-For", before == null ? request.getRemoteAddr() : before);
    }

    /** Nothing but a question whether the other controller is there. */
    private PassedRequest() {
        this.method = "GET";
        this.path = Forwarding.PING;
        this.type = "";
        this.user = "";
        this.session = "";
        this.body = Body.of(new byte[0]);
    }

    static PassedRequest ping() {
        return new PassedRequest();
    }

    /** Whether it may be answered twice without harm. */
    boolean isSafe() {
        return method.equals("GET") || method.equals("HEAD");
    }

    /** A new statement about it. */
    Statement statement(String from, String to, String life, long now) {
        return new Statement(
                from, to, life, now, UUID.randomUUID().toString(), user, session, body.digest());
    }

    /**
     * @param address of the controller that is to answer
     * @throws IllegalArgumentException when the address is none
     */
    HttpRequest to(String address, Statement statement, RequestSeal key, Duration patience) {
        URI uri = URI.create(address + path);
        if (uri.getHost() == null || !String.valueOf(uri.getScheme()).matches("https?")) {
            throw new IllegalArgumentException("it is no URL of a web server");
        }
        String query = uri.getRawQuery() == null ? "" : "?" + uri.getRawQuery();
        HttpRequest.Builder request =
                HttpRequest.newBuilder(uri)
                        .timeout(patience)
                        .method(method, body.publisher())
                        .header(
                                Statement.HEADER,
                                statement.sealed(key, method, uri.getRawPath() + query, type));
        if (!type.isEmpty()) {
            request.header("Content-Type", type);
        }
        headers.forEach(request::header);
        return request.build();
    }

    @Override
    public void close() throws IOException {
        body.close();
    }

    /** A page that is shown in a browser has crumbs of a session, as on one Jenkins. */
    private static String session(HttpServletRequest request) {
        HttpSession session = request.getSession(request.getHeader("Authorization") == null);
        return session == null ? "" : session.getId();
    }

    /** The fields of a form, which have been read by now. Those of the address go along there. */
    private static String form(HttpServletRequest request) {
        Map<String, List<String>> inAddress = new LinkedHashMap<>();
        ReceivedRequest.parse(request.getQueryString(), inAddress);
        StringBuilder form = new StringBuilder();
        request.getParameterMap()
                .forEach(
                        (name, values) -> {
                            int first = inAddress.getOrDefault(name, List.of()).size();
                            Arrays.stream(values)
                                    .skip(first)
                                    .forEach(
                                            value ->
                                                    form.append(form.isEmpty() ? "" : "&")
                                                            .append(url(name))
                                                            .append('=')
                                                            .append(url(value)));
                        });
        return form.toString();
    }

    private static String url(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }

    /** Browsers send characters that must not stand in an address. */
    private static String encoded(String address) {
        StringBuilder result = new StringBuilder();
        for (byte one : address.getBytes(StandardCharsets.UTF_8)) {
            char c = (char) (one & 0xFF);
            if (c <= ' ' || c >= 0x7F || "\"<>\\^`{|}#".indexOf(c) >= 0) {
                result.append('%').append(String.format("%02X", (int) c));
            } else {
                result.append(c);
            }
        }
        return result.toString();
    }
}
