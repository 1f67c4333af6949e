package io.jenkins.plugins.ha.bridge;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * What can be told of a library before it is loaded. Loading one that was cut off, by a full disk
 * say, does not fail: it kills the JVM with SIGBUS.
 */
final class ElfFile {
    private static final int HEADER = 64;
    private static final int PROGRAM_HEADER = 56;
    private static final int LOADED = 1;

    private ElfFile() {}

    /**
     * What is wrong with the file, to complete the sentence "the library ...".
     *
     * @param arch {@code x86_64} or {@code aarch64}
     */
    static Optional<String> defect(Path file, String arch) throws IOException {
        try (SeekableByteChannel channel = Files.newByteChannel(file)) {
            long size = channel.size();
            ByteBuffer header = read(channel, 0, HEADER);
            if (header.remaining() < HEADER
                    || header.order(ByteOrder.BIG_ENDIAN).getInt(0) != 0x7f454c46) {
                return Optional.of("is no library");
            }
            header.order(ByteOrder.LITTLE_ENDIAN);
            boolean wide = header.get(4) == 2;
            boolean little = header.get(5) == 1;
            int machine = Short.toUnsignedInt(header.getShort(18));
            if (!wide || !little || machine != machine(arch)) {
                return Optional.of("is made for another processor than " + arch);
            }
            long programs = header.getLong(32);
            int count = Short.toUnsignedInt(header.getShort(56));
            long sections = header.getLong(40);
            int sectionSize = Short.toUnsignedInt(header.getShort(58));
            int sectionCount = Short.toUnsignedInt(header.getShort(60));
            long needed =
                    Math.max(
                            programs + (long) count * PROGRAM_HEADER,
                            sections + (long) sectionSize * sectionCount);
            if (programs < 0 || sections < 0 || needed > size) {
                return cut(size);
            }
            ByteBuffer table = read(channel, programs, count * PROGRAM_HEADER);
            for (int i = 0; i < count; i++) {
                int at = i * PROGRAM_HEADER;
                long end = table.getLong(at + 8) + table.getLong(at + 32);
                if (table.getInt(at) == LOADED && (end < 0 || end > size)) {
                    return cut(size);
                }
            }
            return Optional.empty();
        }
    }

    private static Optional<String> cut(long size) {
        return Optional.of("is incomplete: it ends after " + size + " bytes");
    }

    private static int machine(String arch) {
        return switch (arch) {
            case "x86_64" -> 62;
            case "aarch64" -> 183;
            default -> throw new IllegalArgumentException(arch);
        };
    }

    private static ByteBuffer read(SeekableByteChannel channel, long from, int length)
            throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
        channel.position(from);
        while (buffer.hasRemaining() && channel.read(buffer) >= 0) {
            // until all is there
        }
        return buffer.flip();
    }
}
