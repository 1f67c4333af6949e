package io.jenkins.plugins.ha.deliveries;

import jakarta.servlet.ReadListener;
import jakarta.servlet.ServletInputStream;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletRequestWrapper;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.SequenceInputStream;
import java.net.URLEncoder;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/**
 * A request whose body is here, or the first MiB of a longer one: what comes after it does not wait
 * for a sender that says nothing more. Forms are read by the web server, as ever, and uploads of
 * files are left to it altogether.
 */
final class ArrivedRequest extends HttpServletRequestWrapper {
    private static final int MOST = 1 << 20;

    private final InputStream body;
    private final byte[] first;
    private ServletInputStream stream;
    private BufferedReader reader;

    private ArrivedRequest(HttpServletRequest request, InputStream body, byte[] first) {
        super(request);
        this.body = body;
        this.first = first;
    }

    /** Waits for the body, as long as the web server lets it. */
    static ArrivedRequest of(HttpServletRequest request) throws IOException {
        String type = String.valueOf(request.getContentType()).toLowerCase(Locale.ROOT);
        if (type.startsWith("application/x-www-form-urlencoded")) {
            request.getParameterMap();
            return new ArrivedRequest(request, null, null);
        }
        if (type.startsWith("multipart/")) {
            return new ArrivedRequest(request, null, null);
        }
        InputStream rest = request.getInputStream();
        byte[] first = rest.readNBytes(MOST);
        InputStream here = new ByteArrayInputStream(first);
        return new ArrivedRequest(
                request, first.length < MOST ? here : new SequenceInputStream(here, rest), first);
    }

    /**
     * The body as it may be sent again, also after somebody has read it; null where it is not whole
     * here: an upload, or more than {@code most} bytes.
     */
    byte[] content(int most) {
        if (first != null) {
            return first.length <= most && first.length < MOST ? first : null;
        }
        String type = String.valueOf(getContentType()).toLowerCase(Locale.ROOT);
        if (!type.startsWith("application/x-www-form-urlencoded")) {
            return null;
        }
        // the web server has read the form: what is not in the address was in the body
        String query = "&" + (getQueryString() == null ? "" : getQueryString());
        StringBuilder form = new StringBuilder();
        getParameterMap()
                .forEach(
                        (name, values) -> {
                            String key = URLEncoder.encode(name, StandardCharsets.UTF_8);
                            if (query.contains("&" + key + "=")) {
                                return;
                            }
                            for (String value : values) {
                                form.append(form.isEmpty() ? "" : "&").append(key).append('=');
                                form.append(URLEncoder.encode(value, StandardCharsets.UTF_8));
                            }
                        });
        byte[] bytes = form.toString().getBytes(StandardCharsets.US_ASCII);
        return bytes.length <= most ? bytes : null;
    }

    @Override
    public ServletInputStream getInputStream() throws IOException {
        if (body == null) {
            return super.getInputStream();
        }
        if (stream == null) {
            stream = new Body(body);
        }
        return stream;
    }

    @Override
    public BufferedReader getReader() throws IOException {
        if (body == null) {
            return super.getReader();
        }
        if (reader == null) {
            String encoding = getCharacterEncoding();
            Charset charset =
                    encoding == null ? StandardCharsets.ISO_8859_1 : Charset.forName(encoding);
            reader = new BufferedReader(new InputStreamReader(getInputStream(), charset));
        }
        return reader;
    }

    /** For readers that wait; nobody here reads a body in any other way. */
    private static final class Body extends ServletInputStream {
        private final InputStream from;
        private boolean finished;

        Body(InputStream from) {
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
