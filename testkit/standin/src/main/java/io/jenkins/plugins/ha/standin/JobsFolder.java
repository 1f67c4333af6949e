package io.jenkins.plugins.ha.standin;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import javax.xml.XMLConstants;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.w3c.dom.Document;
import org.w3c.dom.NodeList;
import org.xml.sax.SAXException;

/**
 * The jobs folder that all controllers share: {@code <job>/config.xml}, {@code <job>/builds/<n>/}
 * with {@code log}, {@code build.json} and, once it has ended, {@code ended.json}. Nothing is
 * cached, so what one controller writes the others see.
 */
final class JobsFolder {
    /** The result of a build that never began; it is about to be deleted. */
    static final String WITHDRAWN = "NOT_BUILT";

    private static final ObjectMapper JSON = new ObjectMapper();

    private final Path root;
    private final SlowDisk disk;

    /**
     * What a stand-in reads of a freestyle job's config.xml.
     *
     * @param shell what its shell steps run, one after the other
     * @param concurrent whether it may be built at the same time
     * @param quietMillis its quiet period
     * @param parameters names of its parameters
     */
    record Job(String shell, boolean concurrent, long quietMillis, List<String> parameters) {}

    JobsFolder(Path root) {
        this.root = root;
        this.disk = new SlowDisk(root);
    }

    List<String> names() throws IOException {
        try (Stream<Path> folders = Files.list(root)) {
            return folders.filter(f -> Files.exists(f.resolve("config.xml")))
                    .map(f -> f.getFileName().toString())
                    .sorted()
                    .toList();
        }
    }

    /** False when there is one of that name; throws when the XML is none. */
    boolean create(String name, byte[] configXml) throws IOException {
        Path folder = root.resolve(name);
        Path draft = Files.createTempFile(root, ".config", ".xml");
        try {
            disk.pass();
            Files.write(draft, configXml);
            parse(draft);
            Files.createDirectory(folder);
            Files.createDirectory(folder.resolve("builds"));
            Files.move(draft, folder.resolve("config.xml"), StandardCopyOption.ATOMIC_MOVE);
            return true;
        } catch (FileAlreadyExistsException e) {
            return false;
        } finally {
            Files.deleteIfExists(draft);
        }
    }

    Optional<Job> job(String name) throws IOException {
        Path config = root.resolve(name).resolve("config.xml");
        return Files.exists(config) ? Optional.of(parse(config)) : Optional.empty();
    }

    /** Numbers of the builds on disk, newest first. */
    List<Integer> builds(String job) throws IOException {
        Path builds = root.resolve(job).resolve("builds");
        if (!Files.isDirectory(builds)) {
            return List.of();
        }
        try (Stream<Path> folders = Files.list(builds)) {
            return folders.map(f -> f.getFileName().toString())
                    .filter(n -> n.matches("[1-9]\\d{0,8}"))
                    .map(Integer::valueOf)
                    .sorted(Comparator.reverseOrder())
                    .toList();
        }
    }

    /** The highest number known to be used, also by builds that were deleted. */
    int highestNumber(String job) throws IOException {
        Path next = root.resolve(job).resolve("nextBuildNumber");
        int used = Files.exists(next) ? Integer.parseInt(Files.readString(next).strip()) - 1 : 0;
        return builds(job).stream().findFirst().map(n -> Math.max(n, used)).orElse(used);
    }

    Path build(String job, int number) {
        return root.resolve(job).resolve("builds").resolve(Integer.toString(number));
    }

    Path log(String job, int number) {
        return build(job, number).resolve("log");
    }

    /** Makes the folder of a new build; throws when the number was used before. */
    void begin(BuildRecord build) throws IOException {
        disk.pass();
        Files.createDirectory(build(build.job(), build.number()));
        replace(build(build.job(), build.number()).resolve("build.json"), json(build));
        if (highestNumber(build.job()) <= build.number()) {
            replace(
                    root.resolve(build.job()).resolve("nextBuildNumber"),
                    Integer.toString(build.number() + 1).getBytes());
        }
    }

    /**
     * Writes how a build ended, unless somebody has before: of a controller that was held dead and
     * its survivor one alone has the last word. False when it is the other's.
     */
    boolean close(BuildRecord build) throws IOException {
        Path folder = build(build.job(), build.number());
        Path draft = Files.createTempFile(folder, ".ended", null);
        try {
            disk.pass();
            Files.write(draft, json(build));
            disk.pass();
            Files.createLink(folder.resolve("ended.json"), draft);
            return true;
        } catch (FileAlreadyExistsException e) {
            return false;
        } finally {
            Files.deleteIfExists(draft);
        }
    }

    Optional<BuildRecord> read(String job, int number) throws IOException {
        for (String name : List.of("ended.json", "build.json")) {
            try {
                byte[] json = Files.readAllBytes(build(job, number).resolve(name));
                return Optional.of(JSON.readValue(json, BuildRecord.class));
            } catch (NoSuchFileException e) {
                // Not that far, or deleted.
            }
        }
        return Optional.empty();
    }

    void delete(String job, int number) throws IOException {
        Path folder = build(job, number);
        // Away at once for everybody, then file by file.
        Path doomed = folder.resolveSibling(".deleted-" + number);
        disk.pass();
        Files.move(folder, doomed, StandardCopyOption.ATOMIC_MOVE);
        try (Stream<Path> files = Files.walk(doomed)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }

    private static byte[] json(BuildRecord build) throws IOException {
        return JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(build);
    }

    private void replace(Path file, byte[] content) throws IOException {
        Path draft = Files.createTempFile(file.getParent(), "." + file.getFileName(), null);
        disk.pass();
        Files.write(draft, content);
        disk.pass();
        Files.move(draft, file, StandardCopyOption.ATOMIC_MOVE);
    }

    private static Job parse(Path configXml) throws IOException {
        try {
            DocumentBuilderFactory factory = DocumentBuilderFactory.newDefaultInstance();
            factory.setFeature(XMLConstants.FEATURE_SECURE_PROCESSING, true);
            factory.setFeature("http://apache.org/xml/features/disallow-doctype-decl", true);
            // Jenkins says 1.1 in the first line, which JDK's parser knows too.
            Document xml = factory.newDocumentBuilder().parse(configXml.toFile());
            List<String> parameters = new ArrayList<>();
            NodeList definitions =
                    xml.getElementsByTagName("hudson.model.StringParameterDefinition");
            for (int i = 0; i < definitions.getLength(); i++) {
                parameters.addAll(
                        texts(
                                ((org.w3c.dom.Element) definitions.item(i))
                                        .getElementsByTagName("name")));
            }
            return new Job(
                    String.join("\n", texts(xml.getElementsByTagName("command"))),
                    texts(xml.getElementsByTagName("concurrentBuild")).contains("true"),
                    1000
                            * texts(xml.getElementsByTagName("quietPeriod")).stream()
                                    .mapToLong(Long::parseLong)
                                    .findFirst()
                                    .orElse(0),
                    parameters);
        } catch (ParserConfigurationException | SAXException e) {
            throw new IOException(configXml + " cannot be read: " + e.getMessage(), e);
        }
    }

    private static List<String> texts(NodeList nodes) {
        List<String> texts = new ArrayList<>();
        for (int i = 0; i < nodes.getLength(); i++) {
            texts.add(nodes.item(i).getTextContent().strip());
        }
        return texts;
    }
}
