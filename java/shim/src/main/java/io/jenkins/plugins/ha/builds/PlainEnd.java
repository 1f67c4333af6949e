package io.jenkins.plugins.ha.builds;

import io.jenkins.plugins.ha.ControllerIdentity;
import io.jenkins.plugins.ha.bridge.Item;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Ends a build whose controller died in its files alone: for builds that cannot be read, or saved,
 * because a plugin fails over it. What its plugins keep in the file stays as it is.
 */
final class PlainEnd {
    /** As core writes a build that runs; the result, if there is one already, stands before it. */
    private static final Pattern RUNNING =
            Pattern.compile("(\\s*<result>\\w+</result>)?(\\s*)<duration>0</duration>");

    private static final Pattern PIPELINE = Pattern.compile("<flow-build[ >]");
    private static final String COMPLETED = "<completed>true</completed>";
    private static final String INCOMPLETE = "\\s*<completed>\\w+</completed>";

    private PlainEnd() {}

    /** Writes the end, unless it is there. */
    static OrphanedBuilds.Ending write(Path folder, Item item, ControllerIdentity identity)
            throws IOException {
        if (!Files.isRegularFile(folder.resolve("build.xml"))) {
            return new OrphanedBuilds.Ending("ABORTED", false, item.owner(), false);
        }
        LastWord word = LastWord.say(folder, identity, "ABORTED", LastWord.Role.SURVIVOR);
        boolean stopped = word.role() == LastWord.Role.STOPPED;
        String sentence =
                "The controller "
                        + item.owner()
                        + (stopped ? " was shut down" : " died")
                        + " while it ran this build.";
        if (!OrphanedBuilds.hasEnded(folder)) {
            writeEnd(folder.resolve("build.xml"), word.result());
            if (word.unfinished() && !BuildLog.end(folder).contains(" while it ran this build.")) {
                BuildLog.append(folder, "\n" + sentence + "\n");
            }
        }
        return new OrphanedBuilds.Ending(word.result(), word.unfinished(), item.owner(), stopped);
    }

    /**
     * Writes this end into the file of a build that runs. A Pipeline's then says that it is
     * complete: nobody resumes it.
     *
     * @throws IOException when it cannot be written, or is no file of a build that runs
     */
    static void writeEnd(Path file, String result) throws IOException {
        String xml = Files.readString(file, StandardCharsets.UTF_8);
        Matcher running = RUNNING.matcher(xml);
        if (!running.find()) {
            throw new IOException(file + " does not say that the build runs");
        }
        String space = running.group(2);
        String ended =
                xml.substring(0, running.start())
                        + space
                        + "<result>"
                        + result
                        + "</result>"
                        + space
                        + "<duration>1</duration>"
                        + (PIPELINE.matcher(xml).find() ? space + COMPLETED : "")
                        + xml.substring(running.end()).replaceFirst(INCOMPLETE, "");
        Path draft = Files.createTempFile(file.getParent(), ".build", null);
        try {
            Files.writeString(draft, ended, StandardCharsets.UTF_8);
            Files.move(
                    draft,
                    file,
                    StandardCopyOption.ATOMIC_MOVE,
                    StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(draft);
        }
    }
}
