package io.jenkins.plugins.ha.queue;

import com.thoughtworks.xstream.core.MapBackedDataHolder;
import com.thoughtworks.xstream.mapper.CannotResolveClassException;
import hudson.model.Action;
import hudson.model.Queue;
import hudson.security.ACL;
import hudson.security.ACLContext;
import hudson.util.XStream2;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.DataFormatException;
import java.util.zip.Deflater;
import java.util.zip.Inflater;

/**
 * The stored form of a queue item: the XML in which Jenkins itself keeps waiting items, so that
 * jobs, causes and parameters of any plugin travel (passwords encrypted with the shared secrets).
 * Long ones are compressed. The bridge has checked where the bytes come from before {@link #decode}
 * sees them.
 */
@SuppressWarnings("try") // who acts is settled by having the context open
final class Payload {
    private static final byte PLAIN = 1;
    private static final byte DEFLATED = 2;
    private static final int COMPRESS_FROM = 2048;
    private static final int LARGEST = 64 << 20;

    private Payload() {}

    /** The job is not on this controller (not yet, or no longer). */
    static final class JobMissing extends Exception {
        private static final long serialVersionUID = 1L;

        JobMissing(String message) {
            super(message);
        }
    }

    /** The bytes cannot be made an item here. */
    static class Unreadable extends Exception {
        private static final long serialVersionUID = 1L;

        Unreadable(String message) {
            super(message);
        }
    }

    /** A newer version of this plugin has stored them: who has that can make an item of them. */
    static final class Newer extends Unreadable {
        private static final long serialVersionUID = 1L;

        Newer(byte form) {
            super("It was stored by a newer version of HA Jenkins, in the form " + form);
        }
    }

    /** Stores the item as it is now. */
    static byte[] encode(Queue.WaitingItem item) {
        byte[] xml;
        try (ACLContext asSystem = ACL.as2(ACL.SYSTEM2)) {
            xml = Queue.XSTREAM.toXML(item).getBytes(StandardCharsets.UTF_8);
        }
        return xml.length < COMPRESS_FROM ? tagged(PLAIN, xml) : deflated(xml);
    }

    /** Makes the item again, with the id, actions and times it had. */
    static Queue.WaitingItem decode(byte[] payload, String job) throws JobMissing, Unreadable {
        try (ACLContext asSystem = ACL.as2(ACL.SYSTEM2)) {
            MapBackedDataHolder notes = new MapBackedDataHolder();
            Object item =
                    Queue.XSTREAM.unmarshal(
                            XStream2.getDefaultDriver()
                                    .createReader(
                                            new StringReader(
                                                    new String(
                                                            xml(payload), StandardCharsets.UTF_8))),
                            null,
                            notes);
            if (item instanceof Queue.WaitingItem waiting) {
                if (waiting.task == null) {
                    throw new JobMissing("The job '" + job + "' does not exist on this controller");
                }
                refuseLosses(notes);
                return waiting;
            }
            throw new Unreadable(
                    "It is no waiting item but "
                            + (item == null ? "nothing" : item.getClass().getName()));
        } catch (RuntimeException e) {
            for (Throwable cause = e; cause != null; cause = cause.getCause()) {
                if (cause instanceof NoSuchElementException) {
                    throw new JobMissing("The job '" + job + "' does not exist on this controller");
                }
            }
            throw new Unreadable(firstLine(e));
        } catch (IOException | LinkageError e) {
            throw new Unreadable(firstLine(e));
        }
    }

    /**
     * Jenkins leaves out of lists what it cannot read: a build would run without that parameter or
     * cause.
     */
    private static void refuseLosses(MapBackedDataHolder notes) throws Unreadable {
        if (notes.get("ReadError") instanceof List<?> errors) {
            for (Object error : errors) {
                if (error instanceof Throwable loss && !isUnknownField(loss)) {
                    throw new Unreadable(firstLine(loss));
                }
            }
        }
    }

    /**
     * A field that this version of its class does not have, whose name Jenkins takes for a class:
     * nothing a build would miss.
     */
    private static boolean isUnknownField(Throwable error) {
        return error instanceof CannotResolveClassException
                && !String.valueOf(error.getMessage()).contains(".");
    }

    /** The same for a job that has another full name now. */
    static byte[] renamed(byte[] payload, String from, String to) throws IOException, Newer {
        String xml = new String(xml(payload), StandardCharsets.UTF_8);
        Matcher task =
                Pattern.compile("(<task[^>]*>)" + Pattern.quote(escaped(from)) + "</task>")
                        .matcher(xml);
        if (!task.find()) {
            throw new IOException("It does not name the job " + from);
        }
        byte[] bytes =
                (xml.substring(0, task.start())
                                + task.group(1)
                                + escaped(to)
                                + "</task>"
                                + xml.substring(task.end()))
                        .getBytes(StandardCharsets.UTF_8);
        return bytes.length < COMPRESS_FROM ? tagged(PLAIN, bytes) : deflated(bytes);
    }

    private static String escaped(String text) {
        return text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;")
                .replace("'", "&apos;");
    }

    /** Whether an item with these actions can be stored and made again at all. */
    static boolean survives(Queue.WaitingItem item, byte[] encoded) {
        try {
            Queue.WaitingItem again = decode(encoded, item.task.getFullDisplayName());
            return again.task.equals(item.task) && count(again) == count(item);
        } catch (JobMissing | Unreadable e) {
            return false;
        }
    }

    @SuppressWarnings(
            "deprecation") // getActions, not getAllActions: transient ones must not be stored
    private static int count(Queue.Item item) {
        int count = 0;
        for (Action ignored : item.getActions()) {
            count++;
        }
        return count;
    }

    private static String firstLine(Throwable e) {
        String text = e.getMessage() == null ? e.toString() : e.getMessage();
        int end = text.indexOf('\n');
        return end < 0 ? text : text.substring(0, end).trim();
    }

    private static byte[] tagged(byte tag, byte[] bytes) {
        byte[] result = new byte[bytes.length + 1];
        result[0] = tag;
        System.arraycopy(bytes, 0, result, 1, bytes.length);
        return result;
    }

    private static byte[] deflated(byte[] bytes) {
        Deflater deflater = new Deflater(Deflater.BEST_SPEED);
        try {
            deflater.setInput(bytes);
            deflater.finish();
            ByteArrayOutputStream out = new ByteArrayOutputStream(bytes.length / 4);
            out.write(DEFLATED);
            byte[] buffer = new byte[8192];
            while (!deflater.finished()) {
                out.write(buffer, 0, deflater.deflate(buffer));
            }
            return out.toByteArray();
        } finally {
            deflater.end();
        }
    }

    private static byte[] xml(byte[] payload) throws IOException, Newer {
        if (payload.length == 0) {
            throw new IOException("It is empty");
        }
        if (payload[0] > DEFLATED) {
            throw new Newer(payload[0]);
        }
        if (payload[0] == PLAIN) {
            return new ByteArrayInputStream(payload, 1, payload.length - 1).readAllBytes();
        }
        if (payload[0] != DEFLATED) {
            throw new IOException("It begins with " + payload[0] + ", which no version writes");
        }
        Inflater inflater = new Inflater();
        try {
            inflater.setInput(payload, 1, payload.length - 1);
            ByteArrayOutputStream out = new ByteArrayOutputStream(payload.length * 4);
            byte[] buffer = new byte[8192];
            while (!inflater.finished()) {
                int read = inflater.inflate(buffer);
                if (read == 0 && (inflater.needsInput() || inflater.needsDictionary())
                        || out.size() > LARGEST) {
                    throw new IOException("It is cut off or too long");
                }
                out.write(buffer, 0, read);
            }
            return out.toByteArray();
        } catch (DataFormatException e) {
            throw new IOException("It is damaged: " + e.getMessage(), e);
        } finally {
            inflater.end();
        }
    }
}
