package io.jenkins.plugins.ha.trace;

import io.jenkins.plugins.ha.bridge.ItemTrace;
import java.util.Date;
import org.kohsuke.stapler.export.Exported;
import org.kohsuke.stapler.export.ExportedBean;

/** One thing that happened to a queue item. */
@ExportedBean(defaultVisibility = 999)
public final class TraceStep {
    private final long of;
    private final ItemTrace.Step step;
    private final ControllerNames names;

    TraceStep(long of, ItemTrace.Step step, ControllerNames names) {
        this.of = of;
        this.step = step;
        this.names = names;
    }

    /** The item to which it happened. */
    @Exported
    public long getId() {
        return of;
    }

    /** When, ms since 1970. */
    @Exported
    public long getAt() {
        return step.atMillis();
    }

    /** When, for the page. */
    public Date getTime() {
        return new Date(step.atMillis());
    }

    /** One word, see docs/operations.md. */
    @Exported
    public String getWhat() {
        return step.what();
    }

    /** Name of the controller that did it or was concerned; "" for none. */
    @Exported
    public String getController() {
        return names.of(step.controller());
    }

    @Exported
    public String getControllerId() {
        return step.controller();
    }

    /** The re-run, or what it runs again; 0 for none. */
    @Exported
    public long getItem() {
        return step.item();
    }

    /** The number of the build that it is about; 0 for none. */
    @Exported
    public int getNumber() {
        return step.what().equals("quiet") ? 0 : step.number();
    }

    /** The same in a sentence. */
    @Exported
    public String getText() {
        String who = getController();
        String other = names.of(step.other());
        String build = "build #" + step.number();
        String text = step.text();
        return switch (step.what()) {
            case "accepted" -> "Accepted by " + who + more(text);
            case "quiet" -> "Waits for " + step.number() + " s: its quiet period";
            case "runs-again" ->
                    "Put into the queue by "
                            + who
                            + " in the place of item "
                            + step.item()
                            + more(text);
            case "folded" -> "Another trigger was taken into it" + more(text);
            case "blocked" -> "Waits behind another build of its job";
            case "unblocked" -> "It is its turn";
            case "claimed" -> "Claimed by " + who;
            case "handed-back" -> "Handed back, " + who + " does not start it" + more(text);
            case "starting" -> who + " starts " + build;
            case "running" -> "Runs on " + who + " as " + build;
            case "orphaned" -> text.isEmpty() ? "Its controller " + who + " is gone" : text;
            case "passed" -> other + " decides what becomes of it";
            case "handed-over" -> who + " hands " + build + " over to " + other;
            case "adopted" -> who + " goes on with " + build;
            case "kept" -> who + " is back and goes on with " + build;
            case "requeued" -> who + " put it back into the queue" + more(text);
            case "unwanted" -> text + " wants it ended";
            case "finished" -> "Build #" + step.number() + " has ended: " + text;
            case "again" -> who + " has it run again, as item " + step.item();
            case "cancelled" -> text.isEmpty() ? "Cancelled" : text;
            case "set-aside" -> "Set aside" + more(text);
            case "moved" -> "Its job is " + text + " now";
            case "restored" ->
                    "Brought back by a controller after Redis had lost it; what happened before is"
                            + " known no more";
            case "left-out" -> "Too much happened: some of it is not kept";
            default -> step.what() + more(text);
        };
    }

    private static String more(String text) {
        return text.isEmpty() ? "" : ": " + text;
    }
}
