package io.jenkins.plugins.ha.jobs;

import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.attribute.BasicFileAttributes;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.zip.DataFormatException;
import java.util.zip.Deflater;
import java.util.zip.Inflater;

/**
 * The form of each config.xml that this controller wrote, applied or loaded last: what is different
 * on disk has been written by somebody else. Thread-safe.
 */
final class KnownForms {
    /**
     * @param hash of the whole file
     * @param stamp tells cheaply whether the file is still the same
     * @param size of the file, bytes
     * @param heldOff whether the job waits for its first save
     * @param own this controller wrote it; whoever says that he wrote the same may have written it
     *     right after, unseen
     * @param packed the file's bytes, compressed
     */
    record Form(String hash, String stamp, int size, boolean heldOff, boolean own, byte[] packed) {
        /** The same, written by this controller. */
        Form written() {
            return new Form(hash, stamp, size, heldOff, true, packed);
        }

        /** The same, written once more. */
        Form restamped(String now) {
            return new Form(hash, now, size, heldOff, own, packed);
        }

        /** The file's text. */
        String text() {
            return new String(bytes(), StandardCharsets.UTF_8);
        }

        /** The file's bytes. */
        byte[] bytes() {
            Inflater inflater = new Inflater();
            try {
                inflater.setInput(packed);
                byte[] bytes = new byte[size];
                int length = 0;
                while (length < bytes.length && !inflater.finished()) {
                    length += inflater.inflate(bytes, length, bytes.length - length);
                }
                return bytes;
            } catch (DataFormatException e) {
                throw new IllegalStateException(e);
            } finally {
                inflater.end();
            }
        }
    }

    private final Map<String, Form> forms = new ConcurrentHashMap<>();

    /** The form known of the item in this folder; null when none is. */
    Form of(File folder) {
        return forms.get(folder.getPath());
    }

    /** This form is the one in force here. */
    void note(File folder, Form form) {
        forms.put(folder.getPath(), form);
    }

    /** As {@link #note}, unless it has become another one than {@code known} meanwhile. */
    void replace(File folder, Form known, Form form) {
        forms.replace(folder.getPath(), known, form);
    }

    /** What is in this folder is in another one from now on. */
    void move(File from, File to) {
        String prefix = from.getPath();
        for (String path : List.copyOf(forms.keySet())) {
            if (path.equals(prefix) || path.startsWith(prefix + File.separator)) {
                Form form = forms.remove(path);
                if (form != null) {
                    forms.put(to.getPath() + path.substring(prefix.length()), form);
                }
            }
        }
    }

    /** Nothing in this folder is there any more. */
    void forget(File folder) {
        String path = folder.getPath();
        forms.remove(path);
        forms.keySet().removeIf(known -> known.startsWith(path + File.separator));
    }

    /**
     * What a file is told from others by without reading it: each save makes it anew. "" when there
     * is none.
     */
    static String stamp(File file) {
        try {
            BasicFileAttributes now =
                    Files.readAttributes(file.toPath(), BasicFileAttributes.class);
            return now.lastModifiedTime().to(TimeUnit.NANOSECONDS)
                    + " "
                    + now.size()
                    + " "
                    + now.fileKey();
        } catch (IOException e) {
            return "";
        }
    }

    /**
     * The form that these bytes are.
     *
     * @param stamp of the file before they were read: taken later, it could be that of a newer form
     */
    static Form form(String stamp, byte[] bytes, boolean heldOff) {
        return new Form(hash(bytes), stamp, bytes.length, heldOff, false, packed(bytes));
    }

    /** The form on disk now. */
    static Form read(File file, boolean heldOff) throws IOException {
        String stamp = stamp(file);
        return form(stamp, Files.readAllBytes(file.toPath()), heldOff);
    }

    private static byte[] packed(byte[] bytes) {
        Deflater deflater = new Deflater(Deflater.BEST_SPEED);
        try {
            deflater.setInput(bytes);
            deflater.finish();
            ByteArrayOutputStream out = new ByteArrayOutputStream(bytes.length / 3 + 64);
            byte[] buffer = new byte[4096];
            while (!deflater.finished()) {
                out.write(buffer, 0, deflater.deflate(buffer));
            }
            return out.toByteArray();
        } finally {
            deflater.end();
        }
    }

    static String hash(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
