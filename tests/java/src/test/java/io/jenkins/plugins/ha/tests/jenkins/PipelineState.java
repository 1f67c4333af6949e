package io.jenkins.plugins.ha.tests.jenkins;

import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;

/** The files that a Pipeline is resumed from, and the answers it waits for. */
final class PipelineState {
    private static final Duration LONG = Duration.ofMinutes(2);

    /** Files tell nobody that they are written no more. */
    private static final long AT_REST_NANOS = TimeUnit.MILLISECONDS.toNanos(300);

    private PipelineState() {}

    /** The folder of a build on the shared jobs folder. */
    static Path folder(TwoControllers two, String job, int number) {
        return two.stage().shared().jobs().resolve(job + "/builds/" + number);
    }

    /**
     * A step is stored some milliseconds after its first line is in the log. Whose controller dies
     * in between stands at the step before it, on any Jenkins.
     */
    static void awaitStored(Path folder) {
        AtomicReference<Map<String, Long>> last = new AtomicReference<>(Map.of());
        AtomicLong since = new AtomicLong(System.nanoTime());
        Eventually.until(
                "the state in " + folder + " is stored",
                LONG,
                () -> {
                    Map<String, Long> now = stamps(folder);
                    if (!now.equals(last.getAndSet(now))) {
                        since.set(System.nanoTime());
                    }
                    return !now.isEmpty() && System.nanoTime() - since.get() > AT_REST_NANOS;
                });
    }

    /** Each file of the state, with its size and the time it was written last. */
    static Map<String, Long> stamps(Path folder) {
        Map<String, Long> result = new TreeMap<>();
        try (var files = Files.walk(folder)) {
            for (Path file : (Iterable<Path>) files.filter(Files::isRegularFile)::iterator) {
                String name = folder.relativize(file).toString();
                if (!name.startsWith("workflow/")) { // of the generation that is over
                    result.put(name, Files.getLastModifiedTime(file).toMillis());
                    result.put(name + " size", Files.size(file));
                }
            }
        } catch (NoSuchFileException | UncheckedIOException e) {
            return Map.of(); // one that is just being replaced: not at rest
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return result;
    }

    /** Answers the question at which the Pipeline stands, as soon as it asks. */
    static void proceed(JenkinsClient on, String job, int number) {
        Eventually.until(
                job + " #" + number + " is answered",
                LONG,
                () ->
                        TwoControllers.script(
                                        on,
                                        """
                                        def run = Jenkins.get().getItemByFullName('%s').getBuildByNumber(%d)
                                        def action = run.getAllActions().find { it.getClass().simpleName == 'InputAction' }
                                        def asked = new ArrayList(action ? action.executions : [])
                                        asked.each { it.proceed(null) }
                                        print asked.size()
                                        """
                                                .formatted(job, number))
                                .equals("1"));
    }
}
