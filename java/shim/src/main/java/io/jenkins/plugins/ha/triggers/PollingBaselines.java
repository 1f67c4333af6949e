package io.jenkins.plugins.ha.triggers;

import hudson.model.AbstractProject;
import hudson.model.Job;
import hudson.model.Run;
import hudson.scm.SCMRevisionState;
import io.jenkins.plugins.ha.linkage.UsesByReflection;
import io.jenkins.plugins.ha.records.BuildFiles;
import java.io.IOException;
import java.lang.reflect.Field;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * The revision up to which changes of a job's repository are known: a poll compares with it, and
 * polls and checkouts move it on. Jenkins keeps it in memory; here it is in a file of the job's
 * folder as well, so that whoever polls next goes on from where the last one was. Never throws.
 */
@UsesByReflection(
        "field hudson.model.AbstractProject pollingBaseline Lhudson/scm/SCMRevisionState;")
final class PollingBaselines {
    private static final Logger LOGGER = Logger.getLogger(PollingBaselines.class.getName());
    private static final String FILE = "ha-polling.xml";
    private static final Field OF_PROJECT = field(AbstractProject.class, "pollingBaseline");
    private static final String PIPELINE = "org.jenkinsci.plugins.workflow.job.WorkflowJob";

    /** A project has one repository; a Pipeline names each by a key. */
    private static final String ONLY = "";

    private PollingBaselines() {}

    /** What the cluster saw last counts here; where it saw nothing, core looks into the builds. */
    static void adopt(Job<?, ?> job) {
        adopt(job, true);
    }

    /** As {@link #adopt}, but where the cluster saw nothing this controller's own stays. */
    static void adoptIfKnown(Job<?, ?> job) {
        adopt(job, false);
    }

    private static void adopt(Job<?, ?> job, boolean orNone) {
        try {
            Map<String, SCMRevisionState> seen = read(job);
            if (job instanceof AbstractProject) {
                if (OF_PROJECT != null && (orNone || seen.containsKey(ONLY))) {
                    OF_PROJECT.set(job, seen.get(ONLY));
                }
            } else if (!seen.isEmpty()) {
                ofPipeline(job).putAll(seen);
            }
        } catch (IOException | ReflectiveOperationException | RuntimeException e) {
            LOGGER.log(Level.FINE, "Polling of " + job.getFullName() + " goes by itself", e);
        }
    }

    /** What this controller saw last counts for all. */
    static void publish(Job<?, ?> job) {
        try {
            if (job instanceof AbstractProject) {
                Map<String, SCMRevisionState> seen = new TreeMap<>();
                Object present = OF_PROJECT == null ? null : OF_PROJECT.get(job);
                if (present instanceof SCMRevisionState state) {
                    seen.put(ONLY, state);
                }
                write(job, seen);
            } else {
                publish(job, ofPipeline(job));
            }
        } catch (IOException | ReflectiveOperationException | RuntimeException e) {
            notPublished(job, e);
        }
    }

    /** This repository of a Pipeline was seen like that; others stay as they were seen last. */
    static void publish(Job<?, ?> job, String repository, SCMRevisionState state) {
        try {
            publish(job, Map.of(repository, state));
        } catch (IOException | RuntimeException e) {
            notPublished(job, e);
        }
    }

    private static void publish(Job<?, ?> job, Map<String, SCMRevisionState> news)
            throws IOException {
        Map<String, SCMRevisionState> seen = read(job);
        seen.putAll(news);
        write(job, seen);
    }

    private static void notPublished(Job<?, ?> job, Exception e) {
        LOGGER.log(
                Level.WARNING,
                "What polling saw of "
                        + job.getFullName()
                        + " is not known to the other controllers: one may build it again",
                e);
    }

    @SuppressWarnings("unchecked") // what was written here
    private static Map<String, SCMRevisionState> read(Job<?, ?> job) throws IOException {
        try {
            String xml = Files.readString(file(job));
            return new TreeMap<>((Map<String, SCMRevisionState>) Run.XSTREAM2.fromXML(xml));
        } catch (NoSuchFileException e) {
            return new TreeMap<>();
        }
    }

    private static void write(Job<?, ?> job, Map<String, SCMRevisionState> seen)
            throws IOException {
        Path file = file(job);
        if (seen.isEmpty()) {
            Files.deleteIfExists(file);
            return;
        }
        String xml = Run.XSTREAM2.toXML(seen);
        boolean same = Files.exists(file) && Files.readString(file).equals(xml);
        if (!same && Files.isDirectory(file.getParent())) { // else the job was deleted
            BuildFiles.write(file, xml.getBytes(StandardCharsets.UTF_8));
        }
    }

    private static Path file(Job<?, ?> job) {
        return job.getRootDir().toPath().resolve(FILE);
    }

    @SuppressWarnings("unchecked") // so it is declared there
    private static Map<String, SCMRevisionState> ofPipeline(Job<?, ?> job)
            throws ReflectiveOperationException {
        Class<?> type = job.getClass();
        while (type != null && !type.getName().equals(PIPELINE)) {
            type = type.getSuperclass();
        }
        Field field = type == null ? null : field(type, "pollingBaselines");
        if (field == null) {
            return new ConcurrentHashMap<>();
        }
        Map<String, SCMRevisionState> present = (Map<String, SCMRevisionState>) field.get(job);
        if (present == null) {
            present = new ConcurrentHashMap<>();
            field.set(job, present);
        }
        return present;
    }

    private static Field field(Class<?> type, String name) {
        try {
            Field field = type.getDeclaredField(name);
            field.setAccessible(true);
            return field;
        } catch (ReflectiveOperationException | RuntimeException e) {
            LOGGER.log(
                    Level.WARNING,
                    "{0} has no field {1} in this version: polls of several controllers may find"
                            + " the same change",
                    new Object[] {type.getName(), name});
            return null;
        }
    }
}
