package io.jenkins.plugins.ha.builds;

import io.jenkins.plugins.ha.ControllerIdentity;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Which controller goes on with a Pipeline, in files of their own in its folder. Whoever begins to
 * go on with it, on another controller or in another membership, first makes the file of the next
 * generation; each can be made once, so one of several wins. The highest generation counts.
 *
 * <p>Not in build.xml: a controller that was held dead saves its own old view there. Without a file
 * the Pipeline is still its first controller's, as build.xml says.
 *
 * @param generation 2 for the first that took over, and so on
 * @param controllerId id of the controller that goes on with it
 * @param incarnation the boot of that controller
 * @param controllerName what people call it
 * @param epoch its membership when it made the file
 * @param graph name of the folder with this generation's graph; "" for Jenkins' own choice
 * @param stuck how many took over in a row and died before the Pipeline made a step
 * @param heads where the Pipeline stood when this one took over
 */
record PipelineOwner(
        int generation,
        String controllerId,
        String incarnation,
        String controllerName,
        long epoch,
        String graph,
        int stuck,
        String heads) {
    private static final String FILE = "ha-owner.";
    private static final String LET_GO = "ha-let-go.";
    private static final Pattern NAME = Pattern.compile("ha-owner\\.([1-9]\\d{0,8})");
    private static final int FIRST = 2;

    /** Whether this is the present start of this controller. */
    boolean is(ControllerIdentity who) {
        return controllerId.equals(who.id()) && incarnation.equals(who.incarnation());
    }

    /**
     * The owner of the highest generation, this controller, has let go of the Pipeline with all of
     * it stored: whoever is to go on with it may make the next generation, itself included.
     */
    static void letGo(Path folder, ControllerIdentity who) throws IOException {
        Files.writeString(folder.resolve(LET_GO + generation(folder)), who.name() + "\n");
    }

    /** This controller, whose generation this is, does not go on with it after all. */
    void letGo(Path folder) throws IOException {
        Files.writeString(folder.resolve(LET_GO + generation), controllerName + "\n");
    }

    /** Name of the controller that has let go of the highest generation; null where none has. */
    static String letGoBy(Path folder) throws IOException {
        try {
            return Files.readString(folder.resolve(LET_GO + generation(folder))).strip();
        } catch (NoSuchFileException e) {
            return null;
        }
    }

    /** The highest generation, 1 where nobody has taken over. */
    static int generation(Path folder) throws IOException {
        return Math.max(1, highest(folder));
    }

    /** Name of the controller that had this generation, as far as the files say. */
    static String ownerOf(Path folder, int generation) throws IOException {
        if (generation >= FIRST) {
            return read(folder, generation).controllerName();
        }
        try {
            return Files.readString(folder.resolve(LET_GO + generation)).strip();
        } catch (NoSuchFileException e) {
            return "another one";
        }
    }

    /** The highest generation; empty while the Pipeline is its first controller's. */
    static Optional<PipelineOwner> standing(Path folder) throws IOException {
        int highest = highest(folder);
        return highest == 0 ? Optional.empty() : Optional.of(read(folder, highest));
    }

    /**
     * Makes the generation after {@code before} this controller's.
     *
     * @param before what {@link #standing} answered
     * @param graph see {@link #graph}
     * @param stuck see {@link #stuck}
     * @param heads see {@link #heads}
     * @return empty when somebody else has made it meanwhile
     */
    static Optional<PipelineOwner> claim(
            Path folder,
            Optional<PipelineOwner> before,
            ControllerIdentity who,
            long epoch,
            String graph,
            int stuck,
            String heads)
            throws IOException {
        PipelineOwner mine =
                new PipelineOwner(
                        before.map(owner -> owner.generation + 1).orElse(FIRST),
                        who.id(),
                        who.incarnation(),
                        who.name(),
                        epoch,
                        graph,
                        stuck,
                        heads);
        byte[] bytes = mine.text().getBytes(StandardCharsets.UTF_8);
        Path file = folder.resolve(FILE + mine.generation);
        Path draft = Files.createTempFile(folder, ".ha-owner", null);
        try {
            Files.write(draft, bytes);
            LastWord.link(draft, file, bytes);
        } catch (FileAlreadyExistsException e) {
            if (!Files.isSameFile(draft, file)) { // NFS may say so of its own first try
                return Optional.empty();
            }
        } finally {
            Files.deleteIfExists(draft);
        }
        return highest(folder) == mine.generation ? Optional.of(mine) : Optional.empty();
    }

    private String text() {
        return String.join(
                        "\n",
                        controllerId,
                        incarnation,
                        controllerName.replaceAll("\\p{Cntrl}", " "),
                        Long.toString(epoch),
                        graph,
                        Integer.toString(stuck),
                        heads)
                + "\n";
    }

    private static PipelineOwner read(Path folder, int generation) throws IOException {
        List<String> lines =
                Files.readAllLines(folder.resolve(FILE + generation), StandardCharsets.UTF_8);
        try {
            return new PipelineOwner(
                    generation,
                    lines.get(0),
                    lines.get(1),
                    lines.get(2),
                    Long.parseLong(lines.get(3)),
                    lines.get(4),
                    Integer.parseInt(lines.get(5)),
                    lines.get(6));
        } catch (IndexOutOfBoundsException | NumberFormatException e) {
            throw new IOException("Not readable yet: " + folder.resolve(FILE + generation), e);
        }
    }

    private static int highest(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> NAME.matcher(file.getFileName().toString()))
                    .filter(Matcher::matches)
                    .mapToInt(match -> Integer.parseInt(match.group(1)))
                    .max()
                    .orElse(0);
        }
    }
}
