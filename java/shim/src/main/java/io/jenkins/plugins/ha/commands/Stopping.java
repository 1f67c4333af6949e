package io.jenkins.plugins.ha.commands;

import hudson.model.Executor;
import hudson.model.Job;
import hudson.model.Queue;
import hudson.model.Result;
import hudson.model.Run;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.bridge.HaException;
import java.lang.reflect.InvocationTargetException;
import java.nio.charset.StandardCharsets;
import java.util.UUID;
import java.util.logging.Level;
import java.util.logging.Logger;
import jenkins.model.CauseOfInterruption;
import jenkins.model.Jenkins;

/**
 * Stops a build on the controller that runs it. The asking user's permission has been checked where
 * he asked.
 */
final class Stopping {
    /**
     * Asks a controller to stop one of its builds; the body is {@code how \n number \n user \n
     * job}.
     */
    static final String TOPIC = "stop";

    private static final Logger LOGGER = Logger.getLogger(Stopping.class.getName());
    private static final long ANSWER_MILLIS = 3000;

    /** How hard. */
    enum How {
        STOP,
        TERM,
        KILL
    }

    private Stopping() {}

    /** Asks {@code controllerId} to stop it; true when it did. */
    static boolean ask(Membership membership, String controllerId, Run<?, ?> run, How how) {
        String user = Jenkins.getAuthentication2().getName();
        String body =
                how + "\n" + run.getNumber() + "\n" + user + "\n" + run.getParent().getFullName();
        try {
            byte[] answer =
                    membership
                            .cluster()
                            .ask(
                                    controllerId,
                                    TOPIC,
                                    body.getBytes(StandardCharsets.UTF_8),
                                    UUID.randomUUID().toString(),
                                    ANSWER_MILLIS);
            return new String(answer, StandardCharsets.UTF_8).equals("ok");
        } catch (HaException e) {
            LOGGER.warning(
                    () ->
                            run
                                    + " could not be stopped on the controller that runs it: "
                                    + e.getMessage());
            return false;
        }
    }

    /** The other side: stops a build of this controller. */
    static String stopHere(String body) {
        String[] words = body.split("\n", 4);
        How how = How.valueOf(words[0]);
        int number = Integer.parseInt(words[1]);
        Job<?, ?> job = Jenkins.get().getItemByFullName(words[3], Job.class);
        Run<?, ?> run = job == null ? null : job.getBuildByNumber(number);
        if (run == null || !run.isBuilding()) {
            return "late";
        }
        if (how != How.STOP && told(run, how == How.TERM ? "doTerm" : "doKill")) {
            return "ok";
        }
        Executor executor = run.getExecutor();
        if (executor == null) {
            executor = run.getOneOffExecutor();
        }
        if (executor == null && run instanceof Queue.Executable executable) {
            executor = Executor.of(executable);
        }
        if (executor == null) {
            return told(run, "doKill") ? "ok" : "late";
        }
        executor.interrupt(Result.ABORTED, new CauseOfInterruption.UserInterruption(words[2]));
        return "ok";
    }

    /** Pipelines have harder ways to end, in a plugin we do not depend on. */
    private static boolean told(Run<?, ?> run, String method) {
        try {
            run.getClass().getMethod(method).invoke(run);
            return true;
        } catch (NoSuchMethodException e) {
            return false;
        } catch (IllegalAccessException | InvocationTargetException e) {
            LOGGER.log(Level.WARNING, "Could not " + method + " " + run, e);
            return false;
        }
    }
}
