package io.jenkins.plugins.ha.commands;

import hudson.Extension;
import hudson.model.Action;
import hudson.model.Item;
import hudson.model.Run;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.bridge.KnownController;
import io.jenkins.plugins.ha.builds.RunningPipelines;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.List;
import jenkins.model.Jenkins;
import jenkins.model.TransientActionFactory;
import org.kohsuke.stapler.QueryParameter;
import org.kohsuke.stapler.StaplerRequest2;
import org.kohsuke.stapler.StaplerResponse2;
import org.kohsuke.stapler.interceptor.RequirePOST;

/**
 * <i>Move to another controller</i> on the page of a Pipeline that runs, on whichever controller:
 * {@code POST /job/x/1/ha-move/}, and {@code ?to=}, a name or id, for a certain one. For those who
 * may stop the build, and for those who may drain the controller that it is on: it ends nothing.
 */
public final class MoveAction implements Action {
    private final Run<?, ?> run;

    private MoveAction(Run<?, ?> run) {
        this.run = run;
    }

    /** Adds it where there is something to move. */
    @Extension
    @SuppressWarnings("rawtypes") // as core declares it
    public static final class Factory extends TransientActionFactory<Run> {
        @Override
        public Class<Run> type() {
            return Run.class;
        }

        @Override
        public Collection<? extends Action> createFor(Run run) {
            return Membership.active().isPresent()
                            && RunningPipelines.isOne(run)
                            && run.isBuilding()
                    ? List.of(new MoveAction(run))
                    : List.of();
        }
    }

    /** The icon of the link in the side panel, for those who may; from memory. */
    @Override
    public String getIconFileName() {
        return isAllowed() && areOthers() ? "symbol-swap" : null;
    }

    @Override
    public String getDisplayName() {
        return "Move to another controller";
    }

    @Override
    public String getUrlName() {
        return "ha-move";
    }

    private static boolean areOthers() {
        return Membership.active()
                .map(m -> m.topology().known().stream().filter(KnownController::lives).count() > 1)
                .orElse(false);
    }

    private boolean isAllowed() {
        return run.getParent().hasPermission(Item.CANCEL)
                || Jenkins.get().hasPermission(Jenkins.MANAGE);
    }

    /** Moves it; 409 with the reason when it has to stay. */
    @RequirePOST
    public void doIndex(
            @QueryParameter String to, StaplerRequest2 request, StaplerResponse2 response)
            throws IOException {
        if (!isAllowed()) {
            run.getParent().checkPermission(Item.CANCEL);
        }
        String text;
        try {
            text = Moving.ask(run, to == null ? "" : to);
        } catch (Moving.Failed e) {
            response.setStatus(e.status);
            text = e.getMessage();
        }
        response.setContentType("text/plain;charset=UTF-8");
        response.getOutputStream().write((text + "\n").getBytes(StandardCharsets.UTF_8));
    }
}
