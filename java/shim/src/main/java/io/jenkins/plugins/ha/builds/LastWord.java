package io.jenkins.plugins.ha.builds;

import io.jenkins.plugins.ha.ControllerIdentity;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Locale;

/**
 * How a build ends, as said by whoever said it first: the controller that ran it, to its end or
 * until it was shut down, or a survivor that holds it dead. It is a file in the build's folder,
 * since both may be cut off from all else but the shared folder; it can be made once.
 *
 * @param controllerId who said it; "" when that is not known
 * @param controllerName what people call that controller
 * @param result what Jenkins calls the end
 * @param role as what it was said
 * @param fresh it was said just now
 */
record LastWord(
        String controllerId, String controllerName, String result, Role role, boolean fresh) {
    private static final String FILE = "ha-ended";

    /** As what somebody ends a build. */
    enum Role {
        /** It came to its end on the controller that ran it. */
        OWNER,
        /** The controller that ran it was shut down over it. */
        STOPPED,
        /** The controller that ran it is held dead, perhaps by a later start of the same one. */
        SURVIVOR
    }

    /** Whether the build did not come to its own end. */
    boolean unfinished() {
        return role != Role.OWNER;
    }

    /** Whether it is this controller's word on a build that it ran to its end. */
    boolean byOwner(String id) {
        return role == Role.OWNER && controllerId.equals(id);
    }

    /** Says it, unless it has been said; what stands. */
    static LastWord say(Path folder, ControllerIdentity who, String result, Role role)
            throws IOException {
        LastWord mine = new LastWord(who.id(), who.name(), result, role, true);
        String written = role.name().toLowerCase(Locale.ROOT);
        byte[] bytes =
                (String.join("\n", who.id(), who.name(), result, written) + "\n")
                        .getBytes(StandardCharsets.UTF_8);
        Path draft = Files.createTempFile(folder, "." + FILE, null);
        try {
            Files.write(draft, bytes);
            link(draft, folder.resolve(FILE), bytes);
            return mine;
        } catch (FileAlreadyExistsException e) {
            // NFS may say so of its own first try
            return Files.isSameFile(draft, folder.resolve(FILE)) ? mine : standing(folder);
        } finally {
            Files.deleteIfExists(draft);
        }
    }

    /** Whole or not at all, and never over another. */
    static void link(Path draft, Path file, byte[] bytes) throws IOException {
        try {
            Files.createLink(file, draft);
        } catch (FileAlreadyExistsException e) {
            throw e;
        } catch (IOException | UnsupportedOperationException e) { // a mount without hard links
            Files.write(file, bytes, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        }
    }

    /** What was said; null when nothing was. */
    static LastWord standing(Path folder) throws IOException {
        try {
            List<String> lines = Files.readAllLines(folder.resolve(FILE), StandardCharsets.UTF_8);
            return lines.size() < 4
                    ? new LastWord("", "", "ABORTED", Role.SURVIVOR, false)
                    : new LastWord(
                            lines.get(0), lines.get(1), lines.get(2), role(lines.get(3)), false);
        } catch (NoSuchFileException e) {
            return null;
        }
    }

    private static Role role(String written) {
        for (Role role : Role.values()) {
            if (role.name().equalsIgnoreCase(written)) {
                return role;
            }
        }
        return Role.SURVIVOR;
    }

    /** The end is in the build's own file now. */
    static void drop(Path folder) throws IOException {
        Files.deleteIfExists(folder.resolve(FILE));
    }
}
