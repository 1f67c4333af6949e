package io.jenkins.plugins.ha.trace;

import hudson.model.Job;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.bridge.Item;
import io.jenkins.plugins.ha.bridge.ItemTrace;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import jenkins.model.Jenkins;
import org.kohsuke.stapler.export.Exported;
import org.kohsuke.stapler.export.ExportedBean;

/**
 * A queue item and what runs it again, if something does: how they stand, and all that happened to
 * them. Its address stays the same from the trigger to the result.
 */
@ExportedBean
public final class TracedItem {
    /** So many re-runs are followed; more than are ever made of one build. */
    private static final int MOST_RERUNS = 50;

    private final long id;
    private final String job;
    private final List<TraceStep> steps = new ArrayList<>();
    private final List<Long> reruns = new ArrayList<>();
    private long rerunOf;
    private String state = "waiting";
    private String why = "";
    private String result = "";
    private String controller = "";
    private int number;

    private TracedItem(long id, String job) {
        this.id = id;
        this.job = job;
    }

    /**
     * What is known of the item, for whoever may read its job; empty where nothing is, or nothing
     * that the present user may know of. A few bounded round trips.
     *
     * @throws org.springframework.security.access.AccessDeniedException for who may know of the job
     *     and not read it, as for Jenkins' own pages
     */
    static Optional<TracedItem> find(Membership membership, long id) {
        ItemTrace first = membership.cluster().trace(id).orElse(null);
        if (first == null || !mayRead(first.job())) {
            return Optional.empty();
        }
        ControllerNames names = new ControllerNames(membership);
        TracedItem found = new TracedItem(id, first.job());
        long at = id;
        ItemTrace trace = first;
        while (trace != null) {
            long next = found.add(at, trace, names);
            if (next == 0 || found.reruns.size() == MOST_RERUNS) {
                break;
            }
            found.reruns.add(next);
            found.state = "waiting";
            at = next;
            trace = membership.cluster().trace(next).filter(t -> mayRead(t.job())).orElse(null);
        }
        return Optional.of(found);
    }

    /** A job that is gone is nobody's to read but an administrator's. */
    private static boolean mayRead(String job) {
        return Jenkins.get().getItemByFullName(job, Job.class) != null
                || Jenkins.get().hasPermission(Jenkins.ADMINISTER);
    }

    /** Answers the item that runs it again, 0 for none. */
    private long add(long of, ItemTrace trace, ControllerNames names) {
        long next = 0;
        for (ItemTrace.Step step : trace.steps()) {
            steps.add(new TraceStep(of, step, names));
            next = step.what().equals("again") ? step.item() : next;
            if (of == id && step.what().equals("runs-again")) {
                rerunOf = step.item();
            }
            follow(step, names);
        }
        if (trace.item() != null) {
            follow(trace.item(), names);
            next = trace.item().again() > 0 ? trace.item().again() : next;
        }
        return next;
    }

    private void follow(ItemTrace.Step step, ControllerNames names) {
        switch (step.what()) {
            case "claimed" -> stands("claimed", names.of(step.controller()), "");
            case "handed-back", "requeued" -> {
                stands("waiting", "", step.text());
                number = 0;
            }
            case "starting", "running", "adopted", "kept" -> {
                stands("running", names.of(step.controller()), "");
                number = step.number();
            }
            case "orphaned", "handed-over" ->
                    stands("orphaned", names.of(step.controller()), step.text());
            case "finished" -> {
                stands("finished", controller, "");
                result = step.text();
            }
            case "cancelled" -> stands("cancelled", "", step.text());
            case "set-aside" -> stands("unreadable", "", step.text());
            default -> {} // it stands as before
        }
    }

    /** What Redis has of it is newer than any trace that was cut. */
    private void follow(Item item, ControllerNames names) {
        number = item.number();
        result = item.result();
        String owner = names.of(item.owner());
        switch (item.state()) {
            case QUEUED -> stands("waiting", "", item.why());
            case CLAIMED -> stands("claimed", owner, item.why());
            case STARTING, RUNNING -> stands("running", owner, "");
            case ORPHANED -> stands("orphaned", owner, item.why());
            case DONE -> stands("finished", owner, "");
            case CANCELLED -> stands("cancelled", "", item.why());
            case UNREADABLE -> stands("unreadable", "", item.why());
        }
    }

    private void stands(String newState, String newController, String newWhy) {
        state = newState;
        controller = newController;
        why = newWhy;
    }

    /** The item that was asked for. */
    @Exported
    public long getId() {
        return id;
    }

    /** The item that counts: the last of its re-runs, or itself. */
    @Exported
    public long getEffectiveItem() {
        return reruns.isEmpty() ? id : reruns.get(reruns.size() - 1);
    }

    /** Full name of the job. */
    @Exported
    public String getJob() {
        return job;
    }

    /** The job's address below Jenkins' own; "" when it is gone. */
    public String getJobUrl() {
        Job<?, ?> there = Jenkins.get().getItemByFullName(job, Job.class);
        return there == null ? "" : there.getUrl();
    }

    /**
     * {@code waiting}, {@code claimed}, {@code running}, {@code orphaned}, {@code finished}, {@code
     * cancelled} or {@code unreadable}: how the last of its re-runs stands.
     */
    @Exported
    public String getState() {
        return state;
    }

    /** Whether nothing more comes. */
    @Exported
    public boolean isDone() {
        return state.equals("finished") || state.equals("cancelled");
    }

    /** Whether it ended without a build. */
    @Exported
    public boolean isCancelled() {
        return state.equals("cancelled");
    }

    /** The build's result; null until it has ended, and for what was cancelled. */
    @Exported
    public String getResult() {
        return state.equals("finished") ? result : null;
    }

    /** The build that counts; null while there is none. */
    @Exported
    public TracedBuild getBuild() {
        return number == 0 || state.equals("cancelled")
                ? null
                : new TracedBuild(number, getJobUrl().isEmpty() ? "" : getJobUrl() + number + "/");
    }

    /** Name of the controller that has it, or ran its build; "" for none. */
    @Exported
    public String getController() {
        return controller;
    }

    /** Why it waits, or ended as it did; "" where there is nothing to say. */
    @Exported
    public String getWhy() {
        return state.equals("waiting") || state.equals("claimed")
                ? WhyItWaits.of(getEffectiveItem(), why)
                : why;
    }

    /** The item whose build it runs again; 0 for none. */
    @Exported
    public long getRerunOf() {
        return rerunOf;
    }

    /** The items that ran it again, one after the other. */
    @Exported
    public List<Long> getReruns() {
        return reruns;
    }

    /** Oldest first, of the item and of its re-runs. */
    @Exported(inline = true)
    public List<TraceStep> getSteps() {
        return steps;
    }

    /** A build, as Jenkins' own queue items name theirs. */
    @ExportedBean(defaultVisibility = 999)
    public static final class TracedBuild {
        private final int number;
        private final String path;

        TracedBuild(int number, String path) {
            this.number = number;
            this.path = path;
        }

        @Exported
        public int getNumber() {
            return number;
        }

        /** Below Jenkins' own address. */
        public String getPath() {
            return path;
        }

        @Exported
        public String getUrl() {
            String root = Jenkins.get().getRootUrl();
            return path.isEmpty() ? "" : (root == null ? "/" : root) + path;
        }
    }
}
