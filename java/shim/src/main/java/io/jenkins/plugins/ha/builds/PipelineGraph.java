package io.jenkins.plugins.ha.builds;

import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * What the files of a Pipeline say of where it stands, without loading it: whether another
 * controller can go on with it after the death of its own.
 */
final class PipelineGraph {
    /** Where Jenkins keeps the graph of a Pipeline that nobody has taken over. */
    static final String FIRST = "workflow";

    /** In which a Pipeline that does not store each of its steps stores all of them. */
    private static final String ALL_STEPS = "flowNodeStore.xml";

    private static final Pattern HEAD = Pattern.compile("<head>\\d+:([^<]+)</head>");
    private static final Pattern PARENT =
            Pattern.compile("<parentIds>\\s*<string>([^<]+)</string>");
    private static final Pattern STARTED_BY = Pattern.compile("<startId>([^<]+)</startId>");
    private static final Pattern START = Pattern.compile("<node class=\"[^\"]*StartNode\"");
    private static final Pattern BUILT_IN =
            Pattern.compile("WorkspaceAction[^>]*>\\s*<node\\s*(?:/>|>\\s*</node>)");

    /** What Jenkins is about to rename to program.dat or build.xml. */
    private static final Pattern UNFINISHED = Pattern.compile("(?:build\\.xml-)?atomic\\d+\\.?tmp");

    /** The first eight bytes of each program.dat. */
    private static final long PROGRAM = 7330745437582215633L;

    /** Version and a place in the file stand behind them. */
    private static final int PROGRAM_HEAD = 6;

    private static final int DEEPEST = 100_000;

    private PipelineGraph() {}

    /** The steps it stood at when it was saved last, for comparing. */
    static String heads(Path folder) throws IOException {
        return String.join(" ", headsOf(text(folder.resolve("build.xml"))));
    }

    /**
     * Why no controller can go on with it now that its own has died, as the end of a sentence; ""
     * when one can.
     *
     * @param graph name of the folder with its graph
     * @param stored its controller has stored all of it, and then let go of it
     */
    static String obstacle(Path folder, String graph, boolean stored) throws IOException {
        String buildXml = text(folder.resolve("build.xml"));
        List<String> heads = headsOf(buildXml);
        if (buildXml.contains("<resumeBlocked>true</resumeBlocked>")) {
            return "its job forbids that it is resumed";
        }
        if (!stored
                && buildXml.contains("<durabilityHint>PERFORMANCE_OPTIMIZED</durabilityHint>")) {
            return "its durability is PERFORMANCE_OPTIMIZED, so that nothing of it is stored while"
                    + " it runs";
        }
        if (heads.isEmpty()) {
            return "it had not come to its first step";
        }
        if (!Files.isRegularFile(folder.resolve("program.dat"))) {
            return "its program had not been stored yet";
        }
        if (!isProgram(folder.resolve("program.dat"))) {
            return "its program cannot be read";
        }
        if (stored && Files.isRegularFile(folder.resolve(graph).resolve(ALL_STEPS))) {
            return "";
        }
        for (String head : heads) {
            if (!Files.isRegularFile(folder.resolve(graph).resolve(head + ".xml"))) {
                return "the step it was at is not in its files";
            }
            if (inBuiltInNode(folder.resolve(graph), head)) {
                return "it was in a node block on that controller's own built-in node, whose"
                        + " processes and files are gone with it";
            }
        }
        return "";
    }

    /** A copy of the graph that the next generation writes into, out of the old owner's reach. */
    static void copy(Path folder, String from, String to) throws IOException {
        Path copy = folder.resolve(to);
        Files.createDirectories(copy);
        try (Stream<Path> files = Files.list(folder.resolve(from))) {
            for (Path file : (Iterable<Path>) files::iterator) {
                if (Files.isRegularFile(file) && file.getFileName().toString().endsWith(".xml")) {
                    // there may be one by a survivor that died over it
                    Files.copy(
                            file,
                            copy.resolve(file.getFileName()),
                            StandardCopyOption.REPLACE_EXISTING);
                }
            }
        }
    }

    /**
     * Removes what the old owner had not written to the end: should it be back from a stall in the
     * middle of that, it has nothing to put into the place of the new owner's file.
     */
    static void dropUnfinished(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : (Iterable<Path>) files::iterator) {
                if (UNFINISHED.matcher(file.getFileName().toString()).matches()) {
                    Files.deleteIfExists(file);
                }
            }
        }
    }

    /**
     * Whether it begins as Jenkins writes programs: a disk that was full may have left anything.
     */
    private static boolean isProgram(Path file) throws IOException {
        try (DataInputStream in = new DataInputStream(Files.newInputStream(file))) {
            return in.readLong() == PROGRAM && in.skipBytes(PROGRAM_HEAD) == PROGRAM_HEAD;
        } catch (EOFException e) {
            return false;
        }
    }

    private static List<String> headsOf(String buildXml) {
        List<String> heads = new ArrayList<>();
        Matcher match = HEAD.matcher(buildXml);
        while (match.find()) {
            heads.add(match.group(1));
        }
        return heads;
    }

    /** Up from the step, over the blocks that have ended. */
    private static boolean inBuiltInNode(Path graph, String head) throws IOException {
        Set<String> seen = new HashSet<>();
        String at = head;
        while (at != null && seen.add(at) && seen.size() < DEEPEST) {
            String step = text(graph.resolve(at + ".xml"));
            Matcher block = STARTED_BY.matcher(step);
            if (block.find()) {
                step = text(graph.resolve(block.group(1) + ".xml"));
            } else if (START.matcher(step).find() && BUILT_IN.matcher(step).find()) {
                return true;
            }
            Matcher parent = PARENT.matcher(step);
            at = parent.find() ? parent.group(1) : null;
        }
        return false;
    }

    private static String text(Path file) throws IOException {
        try {
            // all that is looked for is ASCII
            return Files.readString(file, StandardCharsets.ISO_8859_1);
        } catch (NoSuchFileException e) {
            return "";
        }
    }
}
