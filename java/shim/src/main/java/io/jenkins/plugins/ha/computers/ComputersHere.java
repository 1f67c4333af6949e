package io.jenkins.plugins.ha.computers;

import hudson.model.Computer;
import hudson.model.Executor;
import hudson.model.Node;
import hudson.model.Queue;
import hudson.model.Run;
import hudson.slaves.SlaveComputer;
import io.jenkins.plugins.ha.ControllerIdentity;
import java.util.List;
import jenkins.model.Jenkins;
import net.sf.json.JSONArray;
import net.sf.json.JSONObject;

/** What this controller has, as the others are told: its built-in node, and agents online here. */
final class ComputersHere {
    private ComputersHere() {}

    static String text(ControllerIdentity identity) {
        JSONArray computers = new JSONArray();
        for (Computer computer : Jenkins.get().getComputers()) {
            Node node = computer.getNode();
            boolean builtIn = computer == Jenkins.get().toComputer();
            if (node == null
                    || !builtIn && !(computer instanceof SlaveComputer && computer.isOnline())) {
                continue;
            }
            JSONObject one = new JSONObject();
            one.put("name", computer.getName());
            one.put("builtIn", builtIn);
            one.put("displayName", computer.getDisplayName());
            one.put("online", computer.isOnline());
            one.put("accepting", computer.isAcceptingTasks());
            one.put("executors", computer.countExecutors());
            one.put("idle", computer.countIdle());
            JSONArray work = new JSONArray();
            add(work, computer.getExecutors(), false);
            add(work, computer.getOneOffExecutors(), true);
            one.put("work", work);
            computers.add(one);
        }
        JSONObject all = new JSONObject();
        all.put("controller", identity.name());
        all.put("computers", computers);
        return all.toString();
    }

    private static void add(JSONArray work, List<? extends Executor> executors, boolean oneOff) {
        for (Executor executor : executors) {
            Queue.Executable executable = executor.getCurrentExecutable();
            if (executable == null) {
                continue;
            }
            JSONObject one = new JSONObject();
            one.put("number", executor.getNumber());
            one.put("oneOff", oneOff);
            Run<?, ?> run = runOf(executable);
            if (run != null) {
                one.put("job", run.getParent().getFullName());
                one.put("build", run.getNumber());
                one.put("expected", run.getEstimatedDuration());
            }
            one.put("since", (System.currentTimeMillis() - executor.getElapsedTime()) / 1000);
            work.add(one);
        }
    }

    /** The build itself, or the Pipeline that a {@code node} block belongs to. */
    private static Run<?, ?> runOf(Queue.Executable executable) {
        if (executable instanceof Run<?, ?> run) {
            return run;
        }
        return executable.getParentExecutable() instanceof Run<?, ?> run ? run : null;
    }
}
