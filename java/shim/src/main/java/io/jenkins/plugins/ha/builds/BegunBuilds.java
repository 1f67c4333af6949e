package io.jenkins.plugins.ha.builds;

import hudson.model.Job;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Finds out from the files of a job's builds which queue items have become builds. */
public final class BegunBuilds {
    /** Clocks of controllers and of a file server differ. */
    private static final long SLACK_MILLIS = TimeUnit.HOURS.toMillis(1);

    /** After this many that are older than the item, all others are too. */
    private static final int OLDER = 50;

    private BegunBuilds() {}

    /**
     * The number of the build that the queue item became; 0 when it became none, or its build was
     * deleted. Reads the files of the newest builds and loads none.
     *
     * @param id the item's id, which no other item of the cluster has
     * @param queuedMillis when the item was queued, ms since 1970
     */
    public static int ofQueueItem(Job<?, ?> job, long id, long queuedMillis) {
        String mark = "<queueId>" + id + "</queueId>";
        int older = 0;
        for (int number : numbersDownwards(job)) {
            File folder = new File(job.getBuildDir(), Integer.toString(number));
            // a folder changes when and after it is made: one of long before was made before
            if (folder.lastModified() < queuedMillis - SLACK_MILLIS) {
                if (++older > OLDER) {
                    return 0;
                }
            } else if (contains(new File(folder, "build.xml"), mark)) {
                return number;
            }
        }
        return 0;
    }

    private static List<Integer> numbersDownwards(Job<?, ?> job) {
        String[] names = job.getBuildDir().list();
        return names == null
                ? List.of()
                : Arrays.stream(names)
                        .filter(name -> name.matches("[1-9]\\d{0,8}"))
                        .map(Integer::valueOf)
                        .sorted((left, right) -> right - left)
                        .toList();
    }

    private static boolean contains(File buildXml, String mark) {
        try {
            // the mark is ASCII, whatever else is in the file
            return new String(Files.readAllBytes(buildXml.toPath()), StandardCharsets.ISO_8859_1)
                    .contains(mark);
        } catch (IOException e) {
            return false; // it never came to its first save: nothing of it has begun
        }
    }
}
