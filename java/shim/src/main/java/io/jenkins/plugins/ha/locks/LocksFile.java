package io.jenkins.plugins.ha.locks;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.logging.Level;
import java.util.logging.Logger;
import jenkins.model.Jenkins;
import org.jenkins.plugins.lockableresources.LockableResourcesManager;

/**
 * The plugin's own file in this controller's home: not what counts, but what a Jenkins without HA
 * Jenkins finds, and a cluster whose Redis was made anew. For one thread.
 */
final class LocksFile {
    private static final Logger LOGGER = Logger.getLogger(LocksFile.class.getName());

    private String written = "";

    /** Writes it, if there is something new. */
    void write(Path file, LockableResourcesManager locks) {
        String name = LockableResourcesManager.class.getName();
        String resources;
        boolean allow = locks.isAllowEmptyOrNullValues(); // without the monitor nobody waits for it
        synchronized (LockableResourcesManager.syncResources) {
            resources = Jenkins.XSTREAM2.toXML(new ArrayList<>(locks.getResources()));
        }
        String xml =
                "<?xml version='1.1' encoding='UTF-8'?>\n<"
                        + name
                        + ">\n"
                        + resources
                                .replaceFirst("^<list", "<resources")
                                .replaceFirst("</list>$", "</resources>")
                        + "\n<allowEmptyOrNullValues>"
                        + allow
                        + "</allowEmptyOrNullValues>\n</"
                        + name
                        + ">\n";
        if (xml.equals(written)) {
            return;
        }
        try {
            Path draft = Files.createTempFile(file.getParent(), ".locks", null);
            Files.write(draft, xml.getBytes(StandardCharsets.UTF_8));
            Files.move(draft, file, StandardCopyOption.ATOMIC_MOVE);
            written = xml;
        } catch (IOException e) {
            LOGGER.log(Level.WARNING, "The locks are not written to " + file, e);
        }
    }
}
