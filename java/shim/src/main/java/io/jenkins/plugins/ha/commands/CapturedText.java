package io.jenkins.plugins.ha.commands;

import jakarta.servlet.ServletOutputStream;
import jakarta.servlet.WriteListener;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.http.HttpServletResponseWrapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.nio.charset.Charset;
import java.util.function.UnaryOperator;

/** A response whose body is kept back until it is whole, to be changed before it is sent. */
final class CapturedText extends HttpServletResponseWrapper {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private ServletOutputStream stream;
    private PrintWriter writer;

    CapturedText(HttpServletResponse response) {
        super(response);
    }

    /** Sends the body; a page of HTML changed, anything else as it is. */
    void send(UnaryOperator<String> change) throws IOException {
        if (writer != null) {
            writer.flush();
        }
        byte[] body = bytes.toByteArray();
        String type = getContentType();
        boolean html = type != null && type.startsWith("text/html") && getStatus() == SC_OK;
        if (html) {
            Charset charset = Charset.forName(getCharacterEncoding());
            body = change.apply(new String(body, charset)).getBytes(charset);
        }
        if (body.length > 0) {
            getResponse().getOutputStream().write(body);
        }
    }

    @Override
    public ServletOutputStream getOutputStream() {
        if (stream == null) {
            stream = new Kept(bytes);
        }
        return stream;
    }

    @Override
    public PrintWriter getWriter() {
        if (writer == null) {
            Charset charset = Charset.forName(getCharacterEncoding());
            writer = new PrintWriter(new OutputStreamWriter(getOutputStream(), charset));
        }
        return writer;
    }

    /** Not before it is whole. */
    @Override
    public void flushBuffer() {
        if (writer != null) {
            writer.flush();
        }
    }

    @Override
    public void resetBuffer() {
        super.resetBuffer();
        bytes.reset();
    }

    /** It will be another one. */
    @Override
    public void setContentLength(int length) {}

    @Override
    public void setContentLengthLong(long length) {}

    private static final class Kept extends ServletOutputStream {
        private final ByteArrayOutputStream bytes;

        Kept(ByteArrayOutputStream bytes) {
            this.bytes = bytes;
        }

        @Override
        public void write(int b) {
            bytes.write(b);
        }

        @Override
        public void write(byte[] from, int offset, int length) {
            bytes.write(from, offset, length);
        }

        @Override
        public boolean isReady() {
            return true;
        }

        @Override
        public void setWriteListener(WriteListener listener) {
            throw new IllegalStateException("this response is written by waiting");
        }
    }
}
