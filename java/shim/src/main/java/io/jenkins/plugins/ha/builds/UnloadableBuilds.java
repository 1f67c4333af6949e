package io.jenkins.plugins.ha.builds;

import hudson.model.Job;
import hudson.model.RunMap;
import io.jenkins.plugins.ha.linkage.UsesByReflection;
import java.io.File;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.logging.Level;
import java.util.logging.Logger;
import jenkins.model.lazy.LazyBuildMixIn;

/**
 * Builds that Jenkins holds unreadable for ever, because somebody asked for one while its job was
 * renamed: its folder was no more under the old name, and not looked for yet under the new one.
 */
@UsesByReflection("method hudson.model.RunMap retrieve (Ljava/io/File;)Lhudson/model/Run;")
final class UnloadableBuilds {
    private static final Logger LOGGER = Logger.getLogger(UnloadableBuilds.class.getName());

    private UnloadableBuilds() {}

    /** Reads the build's file again if the job's list has its number and no build. */
    @SuppressWarnings({"unchecked", "rawtypes"}) // the build is one of this very list
    static void mend(Job<?, ?> job, LazyBuildMixIn<?, ?> mixin, int number) {
        RunMap builds = mixin.getRunMap();
        File folder = new File(job.getBuildDir(), Integer.toString(number));
        if (!builds.runExists(number)
                || builds.getByNumber(number) != null
                || !ForeignBuilds.readable(
                        new File(folder, "build.xml"), PipelineFile.isPipeline(job))) {
            return;
        }
        try {
            Method retrieve = RunMap.class.getDeclaredMethod("retrieve", File.class);
            retrieve.setAccessible(true);
            Object build = retrieve.invoke(builds, folder);
            if (build != null) {
                builds.put(Integer.valueOf(number), build);
            }
        } catch (InvocationTargetException e) {
            LOGGER.log(Level.WARNING, "Build " + number + " of " + job.getFullName(), e.getCause());
        } catch (ReflectiveOperationException e) {
            LOGGER.log(Level.FINE, "This version of Jenkins hides what is needed", e);
        }
    }
}
