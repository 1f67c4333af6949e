package io.jenkins.plugins.ha.builds;

import hudson.model.Cause;
import hudson.model.CauseAction;
import hudson.model.Run;
import java.io.IOException;
import java.nio.file.Path;
import java.util.logging.Level;
import java.util.logging.Logger;

/** Which controller ran a build, and what it came from, in a line for the build's page. */
public final class BuildStory {
    private static final Logger LOGGER = Logger.getLogger(BuildStory.class.getName());

    private final String sentence;
    private final int rerunOf;

    private BuildStory(String sentence, int rerunOf) {
        this.sentence = sentence;
        this.rerunOf = rerunOf;
    }

    /** Who ran it. */
    public String getSentence() {
        return sentence;
    }

    /** The number of the build that it runs again; 0 for none. */
    public int getRerunOf() {
        return rerunOf;
    }

    /**
     * From the build and the files in its folder.
     *
     * @param controller name of the one that runs it, or ran it
     */
    public static BuildStory of(Run<?, ?> run, String controller) {
        StringBuilder text = new StringBuilder(run.isBuilding() ? "Runs" : "Ran");
        text.append(" on controller ").append(controller);
        String before = takenFrom(run);
        if (!before.isEmpty()) {
            text.append(", which went on with it after ").append(before);
        }
        int again = 0;
        for (CauseAction causes : run.getActions(CauseAction.class)) {
            for (Cause cause : causes.getCauses()) {
                again = cause instanceof RestartedCause of ? of.getNumber() : again;
            }
        }
        text.append(again == 0 ? "." : "; it runs again what was");
        return new BuildStory(text.toString(), again);
    }

    /** Whom a Pipeline was taken over from; "" where it was not. */
    private static String takenFrom(Run<?, ?> run) {
        if (!RunFields.isPipeline(run)) {
            return "";
        }
        try {
            Path folder = run.getRootDir().toPath();
            int generation = PipelineOwner.generation(folder);
            return generation == 1 ? "" : PipelineOwner.ownerOf(folder, generation - 1);
        } catch (IOException e) {
            LOGGER.log(Level.FINE, "Who had {0} before cannot be read", run);
            return "";
        }
    }
}
