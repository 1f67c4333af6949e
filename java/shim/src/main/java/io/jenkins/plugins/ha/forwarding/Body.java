package io.jenkins.plugins.ha.forwarding;

import java.io.ByteArrayInputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.http.HttpRequest;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * The whole body of a request, in memory or, where it is long, in a file: its digest is needed
 * before the first byte of it counts.
 */
final class Body implements Closeable {
    private static final int IN_MEMORY = 1 << 16;

    private final byte[] bytes;
    private final Path file;
    private final String digest;

    private Body(byte[] bytes, Path file, String digest) {
        this.bytes = bytes;
        this.file = file;
        this.digest = digest;
    }

    /** It is longer than what may be passed on. */
    static final class TooLong extends IOException {
        private static final long serialVersionUID = 1L;
    }

    static Body of(byte[] bytes) {
        MessageDigest sha256 = sha256();
        sha256.update(bytes);
        return new Body(bytes, null, hex(sha256));
    }

    /**
     * Reads it to its end.
     *
     * @param most how many bytes it may have
     */
    static Body of(InputStream from, long most) throws IOException {
        byte[] first = from.readNBytes(IN_MEMORY);
        if (first.length > most) {
            throw new TooLong();
        }
        if (first.length < IN_MEMORY) {
            return of(first);
        }
        Path file = Files.createTempFile("ha-jenkins-forwarded", null);
        try {
            MessageDigest sha256 = sha256();
            sha256.update(first);
            long length = first.length;
            try (OutputStream to = Files.newOutputStream(file)) {
                to.write(first);
                byte[] more = new byte[IN_MEMORY];
                for (int read = from.read(more); read >= 0; read = from.read(more)) {
                    length += read;
                    if (length > most) {
                        throw new TooLong();
                    }
                    sha256.update(more, 0, read);
                    to.write(more, 0, read);
                }
            }
            return new Body(null, file, hex(sha256));
        } catch (IOException | RuntimeException e) {
            Files.deleteIfExists(file);
            throw e;
        }
    }

    /** SHA-256, in hexadecimal digits. */
    String digest() {
        return digest;
    }

    /** From its beginning. */
    InputStream open() throws IOException {
        return file == null ? new ByteArrayInputStream(bytes) : Files.newInputStream(file);
    }

    /** To be sent, as often as it takes. */
    HttpRequest.BodyPublisher publisher() {
        if (file == null) {
            return bytes.length == 0
                    ? HttpRequest.BodyPublishers.noBody()
                    : HttpRequest.BodyPublishers.ofByteArray(bytes);
        }
        try {
            return HttpRequest.BodyPublishers.ofFile(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() throws IOException {
        if (file != null) {
            Files.deleteIfExists(file);
        }
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("This JVM has no SHA-256", e);
        }
    }

    private static String hex(MessageDigest digest) {
        return HexFormat.of().formatHex(digest.digest());
    }
}
