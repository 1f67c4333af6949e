package io.jenkins.plugins.ha.builds;

import hudson.model.Job;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * The next build number of a job as all controllers see it. Core keeps it in memory and in a file
 * of the job's folder, and tells nobody when it is set. What one controller sets ({@link
 * Job#updateNextBuildNumber}) is in the memory of that one alone, but in the file for all: the file
 * counts. Jenkins never reads it again by itself.
 */
public final class NextBuildNumber {
    private static final Logger LOGGER = Logger.getLogger(NextBuildNumber.class.getName());

    /** As core calls it. */
    private static final String FILE = "nextBuildNumber";

    private NextBuildNumber() {}

    /**
     * What was set or used last, by whichever controller; what this one has in memory where nothing
     * was saved yet. Reads one small file.
     */
    public static int of(Job<?, ?> job) {
        int saved = saved(job);
        return saved > 0 ? saved : job.getNextBuildNumber();
    }

    /** A number was given to a build: the next is the one after it, or a higher one set by now. */
    static void used(Job<?, ?> job, int number, Job.BuildNumberAssigner.SaveNextBuildNumber save)
            throws IOException {
        int saved = saved(job);
        if (saved > number) { // another controller set it, or used a higher one, meanwhile
            job.fastUpdateNextBuildNumber(saved);
        } else {
            job.fastUpdateNextBuildNumber(number + 1);
            save.call();
        }
    }

    private static int saved(Job<?, ?> job) {
        Path file = job.getRootDir().toPath().resolve(FILE);
        try {
            return Integer.parseInt(Files.readString(file).trim());
        } catch (NoSuchFileException e) {
            return 0;
        } catch (IOException | NumberFormatException e) {
            LOGGER.log(Level.WARNING, file + " cannot be read", e);
            return 0;
        }
    }
}
