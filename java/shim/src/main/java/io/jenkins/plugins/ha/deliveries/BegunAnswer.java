package io.jenkins.plugins.ha.deliveries;

import jakarta.servlet.ServletOutputStream;
import jakarta.servlet.WriteListener;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.http.HttpServletResponseWrapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;

/** An answer of which the beginning is remembered while it is sent. */
final class BegunAnswer extends HttpServletResponseWrapper {
    private static final int MOST = 1000;

    private final ByteArrayOutputStream begun = new ByteArrayOutputStream();
    private String refusal = "";
    private ServletOutputStream stream;
    private PrintWriter writer;

    BegunAnswer(HttpServletResponse response) {
        super(response);
    }

    /** How it begins where it is a plain text, or what was said of an error; else "". */
    String text() {
        if (writer != null) {
            writer.flush();
        }
        String type = String.valueOf(getContentType());
        boolean plain = type.startsWith("text/plain") || type.startsWith("application/json");
        return plain && begun.size() > 0 ? begun.toString(StandardCharsets.UTF_8) : refusal;
    }

    @Override
    public void sendError(int status, String message) throws IOException {
        refusal = String.valueOf(message);
        super.sendError(status, message);
    }

    @Override
    public ServletOutputStream getOutputStream() throws IOException {
        if (stream == null) {
            stream = new Remembered(super.getOutputStream());
        }
        return stream;
    }

    @Override
    public PrintWriter getWriter() throws IOException {
        if (writer == null) {
            Charset charset = Charset.forName(getCharacterEncoding());
            // names the encoding in the answer's type, as the web server does
            setCharacterEncoding(charset.name());
            writer = new PrintWriter(new OutputStreamWriter(getOutputStream(), charset));
        }
        return writer;
    }

    @Override
    public void flushBuffer() throws IOException {
        if (writer != null) {
            writer.flush();
        }
        super.flushBuffer();
    }

    @Override
    public void resetBuffer() {
        begun.reset();
        super.resetBuffer();
    }

    private final class Remembered extends ServletOutputStream {
        private final ServletOutputStream to;

        Remembered(ServletOutputStream to) {
            this.to = to;
        }

        @Override
        public void write(int one) throws IOException {
            if (begun.size() < MOST) {
                begun.write(one);
            }
            to.write(one);
        }

        @Override
        public void write(byte[] bytes, int offset, int length) throws IOException {
            begun.write(bytes, offset, Math.min(length, Math.max(0, MOST - begun.size())));
            to.write(bytes, offset, length);
        }

        @Override
        public void flush() throws IOException {
            to.flush();
        }

        @Override
        public void close() throws IOException {
            to.close();
        }

        @Override
        public boolean isReady() {
            return to.isReady();
        }

        @Override
        public void setWriteListener(WriteListener listener) {
            to.setWriteListener(listener);
        }
    }
}
