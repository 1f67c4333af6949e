package io.jenkins.plugins.ha.jobs;

import com.thoughtworks.xstream.core.MapBackedDataHolder;
import com.thoughtworks.xstream.mapper.CannotResolveClassException;
import hudson.model.Items;
import hudson.model.Saveable;
import hudson.util.XStream2;
import java.io.ByteArrayInputStream;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.List;

/**
 * A config.xml as read from the shared folder, not yet in force.
 *
 * @param item the object that Jenkins makes of it, not loaded
 * @param text the XML
 * @param form what tells it from others
 */
record ItemForm(Object item, String text, KnownForms.Form form) {
    /** The file is there, but this controller cannot make of it what it says. */
    static final class Unreadable extends IOException {
        private static final long serialVersionUID = 1L;

        Unreadable(String message, Throwable cause) {
            super(message, cause);
        }
    }

    /**
     * Reads the file.
     *
     * @throws Unreadable when anything in it would be lost
     * @throws IOException when it cannot be read at all just now
     */
    static ItemForm read(File file, boolean heldOff) throws IOException {
        String stamp = KnownForms.stamp(file);
        byte[] bytes = Files.readAllBytes(file.toPath());
        return of(bytes, KnownForms.form(stamp, bytes, heldOff));
    }

    /** As {@link #read}, of what has been read. */
    static ItemForm of(byte[] bytes, KnownForms.Form form) throws Unreadable {
        MapBackedDataHolder notes = new MapBackedDataHolder();
        // whom core tells an admin of when something is lost; here we tell
        notes.put("Saveable", (Saveable) () -> {});
        Object item;
        try {
            item =
                    Items.XSTREAM2.unmarshal(
                            XStream2.getDefaultDriver()
                                    .createReader(new ByteArrayInputStream(bytes)),
                            null,
                            notes);
        } catch (RuntimeException | LinkageError | StackOverflowError e) {
            throw new Unreadable(reason(e), e);
        }
        if (notes.get("ReadError") instanceof List<?> errors) {
            for (Object error : errors) {
                if (error instanceof Throwable loss && !isUnknownField(loss)) {
                    throw new Unreadable(reason(loss), loss);
                }
            }
        }
        return new ItemForm(item, new String(bytes, StandardCharsets.UTF_8), form);
    }

    /**
     * A field that this version of its class does not have, whose name Jenkins takes for a class:
     * left over in old files without harm.
     */
    private static boolean isUnknownField(Throwable error) {
        return error instanceof CannotResolveClassException
                && !String.valueOf(error.getMessage()).contains(".");
    }

    private static String reason(Throwable error) {
        Throwable cause = error;
        while (cause.getCause() != null && !(cause instanceof CannotResolveClassException)) {
            cause = cause.getCause();
        }
        String text = String.valueOf(cause.getMessage()).lines().findFirst().orElse("");
        return cause instanceof CannotResolveClassException
                ? "the class " + text + " is missing here; install the plugin it comes from"
                : cause.getClass().getSimpleName() + ": " + text;
    }
}
