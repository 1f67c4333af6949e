package io.jenkins.plugins.ha.stage;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.List;

/**
 * What the controllers of a cluster have in common, as an admin sets it up: the {@code jobs}
 * folder, and the secrets. Here it is a local folder, in real life a mount.
 */
public final class SharedFolder {
    /** Files at the top of a JENKINS_HOME that belong to its secrets; each home has a copy. */
    private static final List<String> KEYS =
            List.of("secret.key", "secret.key.not-so-secret", "identity.key.enc");

    private final Path root;

    /** Creates what is missing, with fresh secrets. */
    public SharedFolder(Path root) {
        this.root = root;
        try {
            Files.createDirectories(jobs());
            Files.createDirectories(secrets());
            Files.setPosixFilePermissions(secrets(), PosixFilePermissions.fromString("rwx------"));
            if (!Files.exists(masterKey())) {
                Files.writeString(root.resolve("secret.key"), randomHex(32));
                Files.writeString(root.resolve("secret.key.not-so-secret"), "");
                Files.writeString(masterKey(), randomHex(128));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public Path jobs() {
        return root.resolve("jobs");
    }

    public Path secrets() {
        return root.resolve("secrets");
    }

    /**
     * From now on each write of a stand-in to this folder takes so much longer, as on a slow disk
     * or a mount whose server is busy. 0 ends that. Builds' scripts and real controllers are not
     * slowed.
     */
    public void slow(long millis) {
        Path file = root.resolve("slow-disk");
        try {
            if (millis == 0) {
                Files.deleteIfExists(file);
            } else {
                Path draft = Files.writeString(root.resolve(".slow-disk"), Long.toString(millis));
                Files.move(draft, file, StandardCopyOption.ATOMIC_MOVE);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The key all other secrets are encrypted with. */
    public Path masterKey() {
        return secrets().resolve("master.key");
    }

    /**
     * Makes a home of the cluster: {@code jobs} and {@code secrets} are links to the common ones,
     * the keys beside them copies.
     */
    void linkInto(Path home) {
        try {
            Files.createDirectories(home);
            link(home.resolve("jobs"), jobs());
            link(home.resolve("secrets"), secrets());
            for (String key : KEYS) {
                if (Files.exists(root.resolve(key))) {
                    Files.copy(
                            root.resolve(key),
                            home.resolve(key),
                            StandardCopyOption.REPLACE_EXISTING);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Takes over the keys that the first controller has made while it booted. */
    void adoptKeysOf(Path home) {
        try {
            for (String key : KEYS) {
                if (Files.exists(home.resolve(key)) && !Files.exists(root.resolve(key))) {
                    Files.copy(home.resolve(key), root.resolve(key));
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Whether a controller has booted with it: only then do later ones not make keys of their own.
     */
    boolean seasoned() {
        return Files.exists(secrets().resolve("jenkins.model.Jenkins.crumbSalt"));
    }

    private static void link(Path link, Path to) throws IOException {
        // A test may have put a folder of its own there.
        if (!Files.exists(link, LinkOption.NOFOLLOW_LINKS)) {
            Files.createSymbolicLink(link, to.toAbsolutePath());
        }
    }

    private static String randomHex(int bytes) {
        byte[] random = new byte[bytes];
        new SecureRandom().nextBytes(random);
        return HexFormat.of().formatHex(random);
    }
}
