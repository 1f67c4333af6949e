package io.jenkins.plugins.ha;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.UUID;
import java.util.regex.Pattern;

/**
 * Who this controller is: an id kept in its JENKINS_HOME, and an incarnation that is new at each
 * boot. Never the root URL, which is the load balancer's on all of them.
 *
 * @param id stable over restarts, unique in the cluster
 * @param incarnation new at each boot
 * @param name what people call it
 */
public record ControllerIdentity(String id, String incarnation, String name) {
    private static final String FILE = "ha-jenkins/controller-id";
    private static final Pattern UUID_TEXT = Pattern.compile("[0-9a-f-]{36}");

    /**
     * Reads the id from {@code home}, or makes one.
     *
     * @throws IOException when it can be neither read nor written
     */
    static ControllerIdentity of(File home, String name) throws IOException {
        Path file = home.toPath().resolve(FILE);
        if (Files.isRegularFile(file)) {
            String id = Files.readString(file).trim();
            if (UUID_TEXT.matcher(id).matches()) {
                return new ControllerIdentity(id, UUID.randomUUID().toString(), name);
            }
            throw new IOException(
                    file + " does not hold a controller id: delete it, and a new one is made");
        }
        Files.createDirectories(file.getParent());
        String id = UUID.randomUUID().toString();
        Path temporary = file.resolveSibling("controller-id.new");
        Files.write(temporary, (id + "\n").getBytes(StandardCharsets.UTF_8));
        Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
        return new ControllerIdentity(id, UUID.randomUUID().toString(), name);
    }
}
