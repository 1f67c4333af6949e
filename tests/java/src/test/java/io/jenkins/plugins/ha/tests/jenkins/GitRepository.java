package io.jenkins.plugins.ha.tests.jenkins;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** A Git repository on disk, with a Jenkinsfile on its branch {@code main}. */
final class GitRepository {
    private GitRepository() {}

    /** Makes one in this folder, with one commit. */
    static Path make(Path folder) {
        git(folder, "init", "-q", "-b", "main");
        commit(folder, "one");
        return folder;
    }

    /** Commits a Jenkinsfile that is different by this text. */
    static void commit(Path repository, String text) {
        try {
            Files.writeString(repository.resolve("Jenkinsfile"), "echo 'hello'\n// " + text + "\n");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        git(repository, "add", ".");
        git(
                repository,
                "-c",
                "user.name=t",
                "-c",
                "user.email=t@example.org",
                "commit",
                "-q",
                "-m",
                text);
    }

    /** Runs git in this folder, which is made where it is not there. */
    static void git(Path in, String... arguments) {
        String[] command = new String[arguments.length + 1];
        command[0] = "git";
        System.arraycopy(arguments, 0, command, 1, arguments.length);
        try {
            Files.createDirectories(in);
            Process git = new ProcessBuilder(command).directory(in.toFile()).inheritIO().start();
            assertEquals(0, git.waitFor(), String.join(" ", command));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(e);
        }
    }

    /** Removes it. */
    static void delete(Path repository) {
        try (Stream<Path> files = Files.walk(repository)) {
            List<Path> all = files.sorted(Comparator.reverseOrder()).toList();
            for (Path file : all) {
                Files.delete(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
