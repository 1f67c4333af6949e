package io.jenkins.plugins.ha.records;

import hudson.model.Job;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * Tombstones on the shared folder: what was deleted, for as long as the records may not say so yet.
 * The controller that deleted it may not reach the database just now, or never again; another one
 * that does would take what has a record and no file for lost, and make it again.
 */
final class Deletions {
    private static final Logger LOGGER = Logger.getLogger(Deletions.class.getName());
    private static final String OF_BUILDS = ".ha-deleted";
    private static final String OF_JOBS = ".ha-jenkins/deleted";

    private Deletions() {}

    /** A build is about to be deleted. */
    static void note(Job<?, ?> job, int number) {
        Path file = file(job, number);
        try {
            Files.createDirectories(file.getParent());
            Files.write(file, new byte[0]);
        } catch (IOException e) {
            notNoted(job.getFullName() + " #" + number, e);
        }
    }

    /** Whether a build was deleted, and the records may not say so. */
    static boolean noted(Job<?, ?> job, int number) {
        return Files.exists(file(job, number));
    }

    /** The builds of a job that were deleted, and of which the records may not say so. */
    static Set<Integer> of(Job<?, ?> job) throws IOException {
        Set<Integer> numbers = new TreeSet<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder(job), "[0-9]*")) {
            for (Path file : files) {
                numbers.add(Integer.parseInt(file.getFileName().toString()));
            }
        } catch (NoSuchFileException | NumberFormatException e) {
            LOGGER.log(Level.FINEST, "None", e);
        }
        return numbers;
    }

    /** The records say so. */
    static void forget(Job<?, ?> job, int number) {
        try {
            Files.deleteIfExists(file(job, number));
        } catch (IOException e) {
            LOGGER.log(Level.FINE, "Looked at again at the next start", e);
        }
    }

    /** A job was deleted. */
    static void noteJob(Path jobs, String name, String id) {
        try {
            BuildFiles.write(
                    jobs.resolve(OF_JOBS).resolve(id), name.getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            notNoted(name, e);
        }
    }

    /** Full names of the jobs that were deleted, by the ids of their deletions. */
    static Map<String, String> ofJobs(Path jobs) throws IOException {
        Map<String, String> names = new TreeMap<>();
        try (DirectoryStream<Path> files =
                Files.newDirectoryStream(jobs.resolve(OF_JOBS), "[0-9a-f]*[0-9a-f]")) {
            for (Path file : files) {
                String name = Files.readString(file);
                if (!name.isEmpty()) {
                    names.put(file.getFileName().toString(), name);
                }
            }
        } catch (NoSuchFileException e) {
            LOGGER.log(Level.FINEST, "None", e);
        }
        return names;
    }

    /** The records say so, whoever told them. */
    static void forgetJob(Path jobs, String id) {
        try {
            Files.deleteIfExists(jobs.resolve(OF_JOBS).resolve(id));
        } catch (IOException e) {
            LOGGER.log(Level.FINE, "Looked at again at the next start", e);
        }
    }

    private static Path folder(Job<?, ?> job) {
        return job.getBuildDir().toPath().resolve(OF_BUILDS);
    }

    private static Path file(Job<?, ?> job, int number) {
        return folder(job).resolve(Integer.toString(number));
    }

    private static void notNoted(String what, IOException e) {
        LOGGER.log(
                Level.WARNING,
                "The deletion of "
                        + what
                        + " cannot be noted on the shared folder: a controller that starts before"
                        + " the records say so may make its files again",
                e);
    }
}
