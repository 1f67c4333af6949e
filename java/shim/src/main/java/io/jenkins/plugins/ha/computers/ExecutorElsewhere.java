package io.jenkins.plugins.ha.computers;

import hudson.Util;
import hudson.model.Item;
import hudson.model.Queue;
import hudson.model.Run;
import hudson.model.queue.WorkUnit;
import jenkins.model.IComputer;
import jenkins.model.IDisplayExecutor;
import jenkins.model.IExecutor;
import jenkins.model.queue.ITask;
import net.sf.json.JSONObject;
import org.kohsuke.stapler.export.Exported;
import org.kohsuke.stapler.export.ExportedBean;

/** An executor of another controller; what it runs is shown as this controller has it. */
@ExportedBean
public final class ExecutorElsewhere implements IExecutor, IDisplayExecutor {
    private final ComputerElsewhere owner;
    private final JSONObject told;

    /**
     * @param told null for an idle one
     */
    ExecutorElsewhere(ComputerElsewhere owner, JSONObject told) {
        this.owner = owner;
        this.told = told;
    }

    boolean isOneOff() {
        return told != null && told.getBoolean("oneOff");
    }

    private Run<?, ?> run() {
        return told == null || !told.has("job")
                ? null
                : ComputerElsewhere.run(told.getString("job"), told.getInt("build"));
    }

    @Override
    public IExecutor getExecutor() {
        return this;
    }

    /** Relative to the computer's: the stop button is the build's own. */
    @Override
    public String getUrl() {
        Run<?, ?> run = run();
        return run == null ? "executors" : "../../" + run.getUrl() + "stop";
    }

    @Override
    public String getDisplayName() {
        return isOneOff() ? "" : String.valueOf(getNumber() + 1);
    }

    @Override
    @Exported
    public boolean isIdle() {
        return told == null;
    }

    @Override
    public IComputer getOwner() {
        return owner;
    }

    @Override
    public Queue.Executable getCurrentExecutable() {
        return run() instanceof Queue.Executable executable ? executable : null;
    }

    /** As core's API has it: for who may read it. */
    @Exported(name = "currentExecutable")
    public Queue.Executable getCurrentExecutableForApi() {
        Run<?, ?> run = run();
        return run != null && run.hasPermission(Item.READ) ? getCurrentExecutable() : null;
    }

    @Override
    public WorkUnit getCurrentWorkUnit() {
        return null;
    }

    @Override
    public ITask getParentTask() {
        return told == null ? null : new Task(run());
    }

    @Override
    public boolean hasStopPermission() {
        Run<?, ?> run = run();
        return run != null && run.getParent().hasPermission(Item.CANCEL);
    }

    @Override
    @Exported
    public int getNumber() {
        return told == null ? 0 : told.getInt("number");
    }

    @Override
    public long getElapsedTime() {
        return told == null
                ? 0
                : Math.max(0, System.currentTimeMillis() - told.getLong("since") * 1000);
    }

    private long expected() {
        return told == null ? -1 : told.optLong("expected", -1);
    }

    @Override
    public String getEstimatedRemainingTime() {
        long left = expected() - getElapsedTime();
        return left <= 0 ? "N/A" : Util.getTimeSpanString(left);
    }

    @Override
    @Exported
    public boolean isLikelyStuck() {
        return expected() > 0 && getElapsedTime() > expected() * 10
                || expected() <= 0 && getElapsedTime() > 86_400_000;
    }

    @Override
    @Exported
    public int getProgress() {
        return expected() <= 0 || told == null
                ? -1
                : (int) Math.min(99, getElapsedTime() * 100 / expected());
    }

    /** The build's job; something that nobody may read where this controller does not have it. */
    private record Task(Run<?, ?> run) implements ITask {
        @Override
        public boolean hasReadPermission() {
            return run != null && run.getParent().hasPermission(Item.READ);
        }

        @Override
        public boolean hasAbortPermission() {
            return run != null && run.getParent().hasPermission(Item.CANCEL);
        }

        @Override
        public String getDisplayName() {
            return run == null ? "" : run.getParent().getDisplayName();
        }

        @Override
        public String getFullDisplayName() {
            return run == null ? "" : run.getParent().getFullDisplayName();
        }

        @Override
        public String getUrl() {
            return run == null ? "" : run.getParent().getUrl();
        }
    }
}
