package io.jenkins.plugins.ha.builds;

import hudson.model.Job;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;

/**
 * The build.xml of a Pipeline. In its first moments it says nothing of whether the Pipeline has
 * ended, and whoever reads it then writes into it that it has.
 */
final class PipelineFile {
    private static final String PIPELINE_JOB = "org.jenkinsci.plugins.workflow.job.WorkflowJob";

    private PipelineFile() {}

    static boolean isPipeline(Job<?, ?> job) {
        for (Class<?> type = job.getClass(); type != null; type = type.getSuperclass()) {
            if (type.getName().equals(PIPELINE_JOB)) {
                return true;
            }
        }
        return false;
    }

    static boolean saysWhetherEnded(File buildXml) {
        return contains(buildXml, "<completed>");
    }

    static boolean saysEnded(File buildXml) {
        return contains(buildXml, "<completed>true</completed>");
    }

    private static boolean contains(File buildXml, String text) {
        try {
            return new String(Files.readAllBytes(buildXml.toPath()), StandardCharsets.UTF_8)
                    .contains(text);
        } catch (IOException e) {
            return false; // being replaced just now: the caller tries again
        }
    }
}
