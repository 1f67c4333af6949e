package io.jenkins.plugins.ha.stage;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** The working copy this program was started from, and what its build leaves there. */
public final class Checkout {
    private Checkout() {}

    /**
     * The folder that holds Cargo.toml and pom.xml: system property {@code ha.jenkins.root}, else
     * found upwards from the current folder.
     *
     * @throws IllegalStateException when there is none
     */
    public static Path root() {
        String set = System.getProperty("ha.jenkins.root");
        if (set != null) {
            return Path.of(set).toAbsolutePath().normalize();
        }
        for (Path at = Path.of("").toAbsolutePath(); at != null; at = at.getParent()) {
            if (Files.exists(at.resolve("Cargo.toml"))
                    && Files.isDirectory(at.resolve("testkit"))) {
                return at;
            }
        }
        throw new IllegalStateException(
                "Not inside a checkout of HA Jenkins: start from there, or set"
                        + " -Dha.jenkins.root=<folder>");
    }

    /** Where builds write: {@code target} of {@link #root()}. */
    public static Path target() {
        return root().resolve("target");
    }

    /**
     * The plugin file, once it is built: system property {@code ha.jenkins.hpi}, else
     * target/ha-jenkins.hpi.
     */
    public static Optional<Path> plugin() {
        String set = System.getProperty("ha.jenkins.hpi");
        return Optional.of(set != null ? Path.of(set) : target().resolve("ha-jenkins.hpi"))
                .filter(Files::isRegularFile)
                .map(Path::toAbsolutePath);
    }

    /** The plugin of throw-away extensions (testkit/extensions), once it is built. */
    public static Optional<Path> extensions() {
        return Optional.of(target().resolve("ha-test-extensions.hpi"))
                .filter(Files::isRegularFile)
                .map(Path::toAbsolutePath);
    }

    /**
     * The native library: system property {@code ha.jenkins.library}, else the release build.
     *
     * @throws IllegalStateException when it is not built
     */
    public static Path library() {
        String set = System.getProperty("ha.jenkins.library");
        Path file = set != null ? Path.of(set) : target().resolve("release/libha_jenkins.so");
        if (!Files.isRegularFile(file)) {
            throw new IllegalStateException(
                    "No native library at " + file + ": run cargo build --release");
        }
        return file.toAbsolutePath();
    }
}
