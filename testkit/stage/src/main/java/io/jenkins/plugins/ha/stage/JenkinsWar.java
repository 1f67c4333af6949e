package io.jenkins.plugins.ha.stage;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.jar.Attributes;
import java.util.jar.JarFile;
import java.util.stream.Stream;

/**
 * A jenkins.war and a folder of plugins to go with it.
 *
 * @param file the war
 * @param plugins folder of .jpi/.hpi files, absent when there is none
 * @param version of Jenkins, as its manifest says
 */
public record JenkinsWar(Path file, Optional<Path> plugins, String version) {
    /** The release that is downloaded when none is at hand. */
    public static final String PINNED = "2.532";

    private static final Duration CONNECT = Duration.ofSeconds(5);
    private static final Duration DOWNLOAD = Duration.ofMinutes(3);

    /**
     * What a search found.
     *
     * @param war present when Jenkins can be started
     * @param explanation one line: which, or why none
     */
    public record Search(Optional<JenkinsWar> war, String explanation) {}

    /**
     * Looks in this order: environment {@code JENKINS_WAR} and {@code JENKINS_PLUGINS}; {@code
     * ~/.cache/ha-jenkins/jenkins.war} and {@code plugins} beside it; a download of the official
     * {@link #PINNED} release into that place, checked against the SHA-256 in {@code
     * JENKINS_WAR_SHA256} or, where that is not set, against the one published next to the release.
     * {@code HA_JENKINS_NO_JENKINS=1} finds none, {@code HA_JENKINS_OFFLINE=1} downloads nothing.
     */
    public static Search search() {
        Map<String, String> env = System.getenv();
        if ("1".equals(env.get("HA_JENKINS_NO_JENKINS"))) {
            return new Search(Optional.empty(), "no Jenkins: HA_JENKINS_NO_JENKINS is set");
        }
        Path cache = Path.of(System.getProperty("user.home"), ".cache", "ha-jenkins");
        Optional<Path> plugins =
                Stream.of(
                                Optional.ofNullable(env.get("JENKINS_PLUGINS")).map(Path::of),
                                Optional.of(cache.resolve("plugins")))
                        .flatMap(Optional::stream)
                        .filter(Files::isDirectory)
                        .findFirst();
        String set = env.get("JENKINS_WAR");
        if (set != null) {
            return Files.isRegularFile(Path.of(set))
                    ? found(Path.of(set), plugins)
                    : new Search(
                            Optional.empty(),
                            "no Jenkins: JENKINS_WAR is " + set + ", which is no file");
        }
        Path war = cache.resolve("jenkins.war");
        if (Files.isRegularFile(war)) {
            return found(war, plugins);
        }
        String missing = "no Jenkins: JENKINS_WAR is not set, " + war + " does not exist, ";
        if ("1".equals(env.get("HA_JENKINS_OFFLINE"))) {
            return new Search(Optional.empty(), missing + "HA_JENKINS_OFFLINE forbids a download");
        }
        try {
            download(war, env.get("JENKINS_WAR_SHA256"));
            return found(war, plugins);
        } catch (IOException e) {
            return new Search(Optional.empty(), missing + "download failed: " + e);
        }
    }

    /**
     * Files of these plugins and of all they need, out of {@link #plugins()}.
     *
     * @throws IllegalStateException when one is not there
     */
    public Collection<Path> pluginsWithDependencies(Collection<String> shortNames) {
        Map<String, Path> chosen = new LinkedHashMap<>();
        List<String> open = new ArrayList<>(shortNames);
        while (!open.isEmpty()) {
            String name = open.remove(0);
            if (!chosen.containsKey(name)) {
                Path file = pluginFile(name);
                chosen.put(name, file);
                String needs = manifest(file).getValue("Plugin-Dependencies");
                for (String need : needs == null ? new String[0] : needs.split(",")) {
                    if (!need.contains("resolution:=optional")) {
                        open.add(need.substring(0, need.indexOf(':')));
                    }
                }
            }
        }
        return chosen.values();
    }

    private Path pluginFile(String shortName) {
        return plugins.stream()
                .flatMap(
                        p ->
                                Stream.of(
                                        p.resolve(shortName + ".jpi"),
                                        p.resolve(shortName + ".hpi")))
                .filter(Files::isRegularFile)
                .findFirst()
                .orElseThrow(
                        () ->
                                new IllegalStateException(
                                        "no plugin "
                                                + shortName
                                                + " in "
                                                + plugins.map(Path::toString)
                                                        .orElse(
                                                                "JENKINS_PLUGINS or"
                                                                    + " ~/.cache/ha-jenkins/plugins")));
    }

    private static Search found(Path war, Optional<Path> plugins) {
        try {
            String version = manifest(war).getValue("Jenkins-Version");
            if (version == null) {
                return new Search(Optional.empty(), "no Jenkins: " + war + " is no jenkins.war");
            }
            return new Search(
                    Optional.of(new JenkinsWar(war.toAbsolutePath(), plugins, version)),
                    "Jenkins " + version + " from " + war);
        } catch (UncheckedIOException e) {
            return new Search(
                    Optional.empty(), "no Jenkins: " + war + " cannot be read: " + e.getMessage());
        }
    }

    private static Attributes manifest(Path file) {
        try (JarFile jar = new JarFile(file.toFile())) {
            return jar.getManifest() == null
                    ? new Attributes()
                    : jar.getManifest().getMainAttributes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void download(Path to, String pinnedHash) throws IOException {
        URI from = URI.create("https://get.jenkins.io/war/" + PINNED + "/jenkins.war");
        HttpClient http =
                HttpClient.newBuilder()
                        .connectTimeout(CONNECT)
                        .followRedirects(HttpClient.Redirect.NORMAL)
                        .build();
        try {
            String expected = pinnedHash;
            if (expected == null) {
                HttpResponse<String> published =
                        http.send(
                                HttpRequest.newBuilder(URI.create(from + ".sha256"))
                                        .timeout(CONNECT)
                                        .build(),
                                HttpResponse.BodyHandlers.ofString());
                if (published.statusCode() != 200) {
                    throw new IOException(from + ".sha256 answers " + published.statusCode());
                }
                expected = published.body().strip().split("\\s+")[0];
            }
            Files.createDirectories(to.getParent());
            Path part = Files.createTempFile(to.getParent(), "jenkins", ".part");
            try {
                HttpResponse<Path> war =
                        http.send(
                                HttpRequest.newBuilder(from).timeout(DOWNLOAD).build(),
                                HttpResponse.BodyHandlers.ofFile(part));
                String actual = sha256(part);
                if (war.statusCode() != 200 || !actual.equalsIgnoreCase(expected)) {
                    throw new IOException(
                            from
                                    + " answers "
                                    + war.statusCode()
                                    + " with SHA-256 "
                                    + actual
                                    + ", not "
                                    + expected);
                }
                Files.move(part, to, StandardCopyOption.ATOMIC_MOVE);
            } finally {
                Files.deleteIfExists(part);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }

    private static String sha256(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            byte[] buffer = new byte[1 << 16];
            int n;
            while ((n = in.read(buffer)) > 0) {
                digest.update(buffer, 0, n);
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
