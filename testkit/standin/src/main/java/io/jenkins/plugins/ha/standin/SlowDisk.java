package io.jenkins.plugins.ha.standin;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/**
 * Makes writes to the shared folder as slow as a file beside it says, in ms each: a disk cannot be
 * slowed from outside without being root of the machine.
 */
final class SlowDisk {
    private final Path control;

    SlowDisk(Path jobs) {
        // The system follows the link to the shared folder before it goes up.
        this.control = jobs.resolve("..").resolve("slow-disk");
    }

    /** Before each write, and before what makes it visible. */
    void pass() throws IOException {
        try {
            String millis = Files.readString(control).strip();
            if (!millis.isEmpty()) {
                Thread.sleep(Long.parseLong(millis));
            }
        } catch (NoSuchFileException e) {
            // It is as fast as it is.
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
