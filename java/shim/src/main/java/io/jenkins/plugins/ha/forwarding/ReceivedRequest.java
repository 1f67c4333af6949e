package io.jenkins.plugins.ha.forwarding;

import jakarta.servlet.ReadListener;
import jakarta.servlet.ServletInputStream;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletRequestWrapper;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletRequestWrapper;
import jakarta.servlet.http.HttpSession;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Enumeration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * A request that another controller has passed on, with the body that it was sealed with and the
 * session that its user has there.
 */
final class ReceivedRequest extends HttpServletRequestWrapper {
    private final Body body;
    private final HttpSession session;
    private final Map<String, String[]> parameters;
    private ServletInputStream stream;
    private BufferedReader reader;

    ReceivedRequest(HttpServletRequest request, Body body, String session) throws IOException {
        super(request);
        this.body = body;
        this.session = ReceivedSession.of(session, request.getServletContext());
        String form = "";
        if (isForm(request)) {
            try (InputStream whole = body.open()) {
                form = new String(whole.readAllBytes(), StandardCharsets.UTF_8);
            }
        }
        Map<String, List<String>> all = new LinkedHashMap<>();
        parse(request.getQueryString(), all);
        parse(form, all);
        Map<String, String[]> arrays = new LinkedHashMap<>();
        all.forEach((name, values) -> arrays.put(name, values.toArray(String[]::new)));
        this.parameters = Collections.unmodifiableMap(arrays);
    }

    /** Whether a request, however it has been wrapped since, is such a one. */
    static boolean is(ServletRequest request) {
        return request instanceof ReceivedRequest
                || request instanceof ServletRequestWrapper wrapper && is(wrapper.getRequest());
    }

    /** Whether its body is the fields of a form, which are parameters. */
    static boolean isForm(HttpServletRequest request) {
        return String.valueOf(request.getContentType())
                .toLowerCase(Locale.ROOT)
                .startsWith("application/x-www-form-urlencoded");
    }

    /** Adds the parameters of a query or a form to those that are there. */
    static void parse(String text, Map<String, List<String>> to) {
        for (String pair : text == null ? new String[0] : text.split("&")) {
            if (!pair.isEmpty()) {
                int equals = pair.indexOf('=');
                String name = decoded(equals < 0 ? pair : pair.substring(0, equals));
                String value = equals < 0 ? "" : decoded(pair.substring(equals + 1));
                to.computeIfAbsent(name, key -> new ArrayList<>()).add(value);
            }
        }
    }

    private static String decoded(String text) {
        try {
            return URLDecoder.decode(text, StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            return text;
        }
    }

    @Override
    public String getParameter(String name) {
        String[] values = parameters.get(name);
        return values == null ? null : values[0];
    }

    @Override
    public Map<String, String[]> getParameterMap() {
        return parameters;
    }

    @Override
    public Enumeration<String> getParameterNames() {
        return Collections.enumeration(parameters.keySet());
    }

    @Override
    public String[] getParameterValues(String name) {
        String[] values = parameters.get(name);
        return values == null ? null : values.clone();
    }

    @Override
    public HttpSession getSession() {
        return session;
    }

    @Override
    public HttpSession getSession(boolean create) {
        return session;
    }

    @Override
    public ServletInputStream getInputStream() throws IOException {
        if (stream == null) {
            stream = new Stream(body.open());
        }
        return stream;
    }

    @Override
    public BufferedReader getReader() throws IOException {
        if (reader == null) {
            reader =
                    new BufferedReader(
                            new InputStreamReader(getInputStream(), StandardCharsets.UTF_8));
        }
        return reader;
    }

    /** For readers that wait; it is all here. */
    private static final class Stream extends ServletInputStream {
        private final InputStream from;
        private boolean finished;

        Stream(InputStream from) {
            this.from = from;
        }

        @Override
        public int read() throws IOException {
            int read = from.read();
            finished = read < 0;
            return read;
        }

        @Override
        public int read(byte[] bytes, int offset, int length) throws IOException {
            int read = from.read(bytes, offset, length);
            finished = read < 0;
            return read;
        }

        @Override
        public int available() throws IOException {
            return from.available();
        }

        @Override
        public void close() throws IOException {
            from.close();
        }

        @Override
        public boolean isFinished() {
            return finished;
        }

        @Override
        public boolean isReady() {
            return true;
        }

        @Override
        public void setReadListener(ReadListener listener) {
            throw new IllegalStateException("this body is read by waiting for it");
        }
    }
}
