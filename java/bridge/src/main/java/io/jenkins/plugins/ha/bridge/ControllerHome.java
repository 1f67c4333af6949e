package io.jenkins.plugins.ha.bridge;

import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Where a controller runs, and what it has in common with the others. What is "" is not compared.
 *
 * @param host host and folder, for people: {@code jenkins-1:/var/lib/jenkins}
 * @param place differs between a controller's home and a copy of it, and is the same after a
 *     restart
 * @param idFile the file that holds the controller's id, for people
 * @param sharedFolder the folder that all controllers of the cluster share
 * @param journal a folder on this controller's own disk, for what is accepted while Redis is away
 * @param likeness what must be the same on all controllers, in words: {@code Jenkins 2}
 * @param facts what others may want to know of this controller, as it is at the start; see {@link
 *     Cluster#describe}
 */
public record ControllerHome(
        String host,
        String place,
        String idFile,
        String sharedFolder,
        String journal,
        String likeness,
        String facts) {
    /** Nothing is known or shared. */
    public static final ControllerHome UNKNOWN = new ControllerHome("", "", "", "", "", "", "");

    /**
     * The place of a home: this run of the host's kernel and the file that holds the id. A copy of
     * the file has another; so has the same home on another host, and after the host was restarted.
     */
    public static String placeOf(Path idFile) {
        try {
            return Files.readString(Path.of("/proc/sys/kernel/random/boot_id")).trim()
                    + "/"
                    + Files.getAttribute(idFile, "unix:dev")
                    + ":"
                    + Files.getAttribute(idFile, "unix:ino");
        } catch (IOException | UnsupportedOperationException | IllegalArgumentException e) {
            return hostName() + ":" + idFile; // not on Linux
        }
    }

    /** The host's name, or "". */
    public static String hostName() {
        try {
            return InetAddress.getLocalHost().getHostName();
        } catch (UnknownHostException e) {
            return "";
        }
    }

    String[] parts() {
        return new String[] {host, place, idFile, sharedFolder, journal, likeness, facts};
    }
}
