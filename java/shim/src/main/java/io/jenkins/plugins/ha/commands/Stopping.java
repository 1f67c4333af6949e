package io.jenkins.plugins.ha.commands;

import hudson.model.AbstractBuild;
import hudson.model.Executor;
import hudson.model.Job;
import hudson.model.Queue;
import hudson.model.Result;
import hudson.model.Run;
import hudson.model.User;
import hudson.security.ACL;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.queue.ClusterItemAction;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.logging.Level;
import java.util.logging.Logger;
import jenkins.model.CauseOfInterruption;
import jenkins.model.Jenkins;
import org.springframework.security.core.Authentication;

/**
 * Stops a build on the controller that runs it. The asking user's permission has been checked where
 * he asked.
 */
final class Stopping {
    /**
     * Asks a controller to stop one of its builds; the body is {@code how \n number \n user id \n
     * user's full name \n job}. Without a user it was Jenkins itself, or a plugin; a newer build
     * has its number in the user's place.
     */
    static final String TOPIC = "stop";

    /** It has ended by itself, or by somebody else's stop, and the others will hear of it. */
    private static final String ENDED = "ended";

    private static final Logger LOGGER = Logger.getLogger(Stopping.class.getName());

    /** Core's plugin gives it to a Pipeline's older build. */
    private static final String SUPERSEDED =
            "org.jenkinsci.plugins.workflow.job.properties.DisableConcurrentBuildsJobProperty$CancelledCause";

    /** The plugin's for milestones. */
    private static final String OVERTAKEN =
            "org.jenkinsci.plugins.pipeline.milestone.CancelledCause";

    private static final long ANSWER_MILLIS = 3000;
    private static final long SUPERSEDED_MILLIS = 15_000;
    private static final int EXECUTOR_ROUNDS = 40;
    private static final int NEWER_ROUNDS = 400;
    private static final int KILLED_ROUNDS = 200;
    private static final long ROUND_MILLIS = 25;

    /** How hard. */
    enum How {
        STOP,
        TERM,
        KILL,
        /** A newer build of a Pipeline that keeps only its newest one running has begun. */
        SUPERSEDE,
        /** A newer build of the Pipeline has passed a milestone before it. */
        OVERTAKE
    }

    private Stopping() {}

    /** Asks {@code controllerId} to stop it; true when it did, or it has ended. */
    static boolean ask(Membership membership, String controllerId, Run<?, ?> run, How how) {
        notAgain(membership, run);
        return ask(
                membership,
                controllerId,
                how,
                run.getParent().getFullName(),
                run.getNumber(),
                asker());
    }

    /** Should its controller die over it, the build is not run again. */
    static void notAgain(Membership membership, Run<?, ?> run) {
        ClusterItemAction action = run.getAction(ClusterItemAction.class);
        if (action != null && action.itemId() > 0) {
            String who = Jenkins.getAuthentication2().getName();
            try {
                membership.cluster().unwanted(action.itemId(), who);
            } catch (HaException e) {
                LOGGER.log(Level.FINE, "Not noted that {0} is to end", run);
            }
        }
    }

    /**
     * Has a Pipeline ended whose controller is not a member of the cluster any more; waits for it,
     * 5 s at the most. False when it has not ended then.
     */
    static boolean killGone(Membership membership, String owner, Run<?, ?> run) {
        try {
            if (membership.cluster().members().stream()
                    .anyMatch(member -> member.controllerId().equals(owner))) {
                return false;
            }
        } catch (HaException e) {
            LOGGER.log(Level.FINE, "Who is a member is not known just now", e);
            return false;
        }
        membership.orphanedPipelines().kill(run, Jenkins.getAuthentication2().getName());
        for (int round = 0; round < KILLED_ROUNDS; round++) {
            Run<?, ?> now = run.getParent().getBuildByNumber(run.getNumber());
            if (now == null || !now.isBuilding()) {
                return true;
            }
            pause();
        }
        return false;
    }

    /** As {@link #ask}, for an older build that {@code newer} takes the place of. */
    static boolean supersede(
            Membership membership, String controllerId, int number, Run<?, ?> newer) {
        String job = newer.getParent().getFullName();
        return ask(membership, controllerId, How.SUPERSEDE, job, number, newer.getNumber() + "\n");
    }

    /** As {@link #ask}, for a build that another has overtaken at a milestone. */
    static boolean overtake(
            Membership membership, String controllerId, String job, int number, String by) {
        return ask(membership, controllerId, How.OVERTAKE, job, number, by + "\n");
    }

    private static boolean ask(
            Membership membership,
            String controllerId,
            How how,
            String job,
            int number,
            String asker) {
        String body = String.join("\n", how.toString(), Integer.toString(number), asker, job);
        try {
            String answer =
                    membership.ask(
                            controllerId,
                            TOPIC,
                            body,
                            how == How.SUPERSEDE ? SUPERSEDED_MILLIS : ANSWER_MILLIS);
            return answer.equals("ok") || answer.equals(ENDED);
        } catch (HaException e) {
            LOGGER.warning(
                    () ->
                            job
                                    + " #"
                                    + number
                                    + " could not be stopped on the controller that runs it: "
                                    + e.getMessage());
            return false;
        }
    }

    /** Whether core offers to end such a build in this way. */
    static boolean offered(Run<?, ?> run, How how) {
        if (how == How.STOP) {
            return run instanceof AbstractBuild || method(run, "doStop") != null;
        }
        return method(run, how == How.TERM ? "doTerm" : "doKill") != null;
    }

    /** Whether what is asked for waits for the file of another build. */
    static boolean waitsForFiles(String body) {
        return body.startsWith(How.SUPERSEDE + "\n");
    }

    /** The other side: stops a build of this controller. */
    static String stopHere(String body) {
        String[] words = body.split("\n", 5);
        How how = How.valueOf(words[0]);
        int number = Integer.parseInt(words[1]);
        Job<?, ?> job = Jenkins.get().getItemByFullName(words[4], Job.class);
        Run<?, ?> run = job == null ? null : job.getBuildByNumber(number);
        if (run == null) {
            return "late";
        }
        if (!run.isBuilding()) {
            return ENDED;
        }
        if (how == How.SUPERSEDE) {
            return supersedeHere(run, Integer.parseInt(words[2]));
        }
        if (how == How.OVERTAKE) {
            return overtakeHere(run, words[2]);
        }
        if (how != How.STOP) {
            return told(run, how == How.TERM ? "doTerm" : "doKill") ? "ok" : "late";
        }
        Executor executor = executorOf(run);
        if (executor == null) {
            return !run.isBuilding() ? ENDED : told(run, "doKill") ? "ok" : "late";
        }
        if (words[2].isEmpty()) {
            executor.interrupt(Result.ABORTED);
        } else {
            introduce(words[2], words[3]);
            executor.interrupt(Result.ABORTED, new CauseOfInterruption.UserInterruption(words[2]));
        }
        return "ok";
    }

    /** With the result and the cause that core gives it where both builds are in one JVM. */
    private static String supersedeHere(Run<?, ?> run, int newerNumber) {
        Executor executor = executorOf(run);
        if (executor == null) {
            return "late";
        }
        Run<?, ?> newer = run.getParent().getBuildByNumber(newerNumber);
        for (int round = 0; newer == null && round < NEWER_ROUNDS; round++) {
            pause(); // until its file can be read
            newer = run.getParent().getBuildByNumber(newerNumber);
        }
        try {
            CauseOfInterruption cause =
                    (CauseOfInterruption)
                            Class.forName(SUPERSEDED, true, run.getClass().getClassLoader())
                                    .getConstructor(Run.class)
                                    .newInstance(newer);
            executor.interrupt(Result.NOT_BUILT, cause);
        } catch (ReflectiveOperationException | LinkageError e) {
            LOGGER.log(Level.FINE, "Ended without saying what took its place", e);
            executor.interrupt(Result.NOT_BUILT);
        }
        return "ok";
    }

    /** As the plugin does it where both builds are in one JVM. */
    private static String overtakeHere(Run<?, ?> run, String by) {
        Executor executor = executorOf(run);
        if (executor == null) {
            return "late";
        }
        try {
            Constructor<?> cause =
                    Class.forName(OVERTAKEN, true, Jenkins.get().getPluginManager().uberClassLoader)
                            .getDeclaredConstructor(String.class);
            cause.setAccessible(true);
            executor.interrupt(Result.NOT_BUILT, (CauseOfInterruption) cause.newInstance(by));
        } catch (ReflectiveOperationException | LinkageError e) {
            LOGGER.log(Level.FINE, "Ended without saying what overtook it", e);
            executor.interrupt(Result.NOT_BUILT);
        }
        return "ok";
    }

    /** Id and full name, "" each where it is not a person. */
    private static String asker() {
        Authentication who = Jenkins.getAuthentication2();
        if (who.equals(ACL.SYSTEM2)) {
            return "\n";
        }
        User user = ACL.isAnonymous2(who) ? null : User.getById(who.getName(), false);
        return line(who.getName()) + "\n" + (user == null ? "" : line(user.getFullName()));
    }

    private static String line(String text) {
        return text.replaceAll("\\p{Cntrl}", " ");
    }

    /**
     * The log names people by their full name; one who never was on this controller has none here.
     */
    private static void introduce(String id, String fullName) {
        if (!fullName.isEmpty() && User.getById(id, false) == null) {
            User.getById(id, true).setFullName(fullName); // in memory only
        }
    }

    /** A build that has just begun gets its executor within moments. */
    private static Executor executorOf(Run<?, ?> run) {
        for (int round = 0; ; round++) {
            Executor executor = run.getExecutor();
            if (executor == null) {
                executor = run.getOneOffExecutor();
            }
            if (executor == null && run instanceof Queue.Executable executable) {
                executor = Executor.of(executable);
            }
            if (executor != null || !run.isBuilding() || round >= EXECUTOR_ROUNDS) {
                return executor;
            }
            pause();
        }
    }

    private static void pause() {
        try {
            Thread.sleep(ROUND_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // the next round ends at once, and the last soon
        }
    }

    private static Method method(Run<?, ?> run, String name) {
        try {
            return run.getClass().getMethod(name);
        } catch (NoSuchMethodException e) {
            return null;
        }
    }

    /** Pipelines have harder ways to end, in a plugin we do not depend on. */
    private static boolean told(Run<?, ?> run, String name) {
        Method method = method(run, name);
        if (method == null) {
            return false;
        }
        try {
            method.invoke(run);
            return true;
        } catch (IllegalAccessException | InvocationTargetException e) {
            LOGGER.log(Level.WARNING, "Could not " + name + " " + run, e);
            return false;
        }
    }
}
