package io.jenkins.plugins.ha.computers;

import hudson.model.Job;
import hudson.model.Run;
import hudson.security.ACL;
import hudson.security.ACLContext;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import jenkins.agents.IOfflineCause;
import jenkins.model.IComputer;
import jenkins.model.Jenkins;
import net.sf.json.JSONArray;
import net.sf.json.JSONObject;
import org.kohsuke.stapler.Stapler;
import org.kohsuke.stapler.StaplerRequest2;
import org.kohsuke.stapler.export.Exported;
import org.kohsuke.stapler.export.ExportedBean;

/**
 * An agent, or the built-in node, of another controller, for pages and the API: its names in the
 * API are those of core's own.
 */
@ExportedBean
@SuppressWarnings("try") // who acts is settled by having the context open
public final class ComputerElsewhere implements IComputer {
    private final String controllerId;
    private final String controller;
    private final JSONObject told;
    private final List<ExecutorElsewhere> executors = new ArrayList<>();
    private final List<ExecutorElsewhere> oneOff = new ArrayList<>();

    ComputerElsewhere(String controllerId, String controller, JSONObject told) {
        this.controllerId = controllerId;
        this.controller = controller;
        this.told = told;
        JSONArray work = told.getJSONArray("work");
        for (int i = 0; i < work.size(); i++) {
            ExecutorElsewhere executor = new ExecutorElsewhere(this, work.getJSONObject(i));
            (executor.isOneOff() ? oneOff : executors).add(executor);
        }
        for (int i = 0; i < told.getInt("idle"); i++) {
            executors.add(new ExecutorElsewhere(this, null));
        }
    }

    /** The build; null when this controller does not have it (yet). */
    static Run<?, ?> run(String job, int number) {
        try (ACLContext asSystem = ACL.as2(ACL.SYSTEM2)) {
            Job<?, ?> found = Jenkins.get().getItemByFullName(job, Job.class);
            return found == null ? null : found.getBuildByNumber(number);
        }
    }

    boolean isBuiltIn() {
        return told.getBoolean("builtIn");
    }

    /** Core does not show a built-in node without executors that runs nothing either. */
    boolean isShown() {
        return countExecutors() > 0 || !oneOff.isEmpty();
    }

    /** Id of the controller that has it. */
    @Exported
    public String getControllerId() {
        return controllerId;
    }

    /** What people call the controller that has it. */
    @Exported
    public String getController() {
        return controller;
    }

    @Override
    public String getName() {
        return told.getString("name");
    }

    /**
     * On pages with its controller; in the API as on its controller, for built-in nodes with it.
     */
    @Override
    @Exported
    public String getDisplayName() {
        StaplerRequest2 request = Stapler.getCurrentRequest2();
        boolean api = request != null && request.getRequestURI().contains("/api/");
        String name = told.getString("displayName");
        return api && !isBuiltIn() ? name : name + " (" + controller + ")";
    }

    @Exported
    public String getDescription() {
        return "On the controller " + controller;
    }

    @Override
    public String getTooltip() {
        return getDescription();
    }

    /** An agent is a page here, too; a built-in node of another controller is not. */
    @Override
    public String getUrl() {
        return isBuiltIn() ? "manage/ha/" : "computer/" + encoded(getName()) + "/";
    }

    static String encoded(String name) {
        return hudson.Util.rawEncode(name);
    }

    @Override
    public List<ExecutorElsewhere> getDisplayExecutors() {
        List<ExecutorElsewhere> all = new ArrayList<>(executors);
        all.addAll(oneOff);
        return all;
    }

    @Exported
    public List<ExecutorElsewhere> getExecutors() {
        return executors;
    }

    @Exported
    public List<ExecutorElsewhere> getOneOffExecutors() {
        return oneOff;
    }

    @Exported
    public int getNumExecutors() {
        return countExecutors();
    }

    @Exported
    public boolean isIdle() {
        return countBusy() == 0 && oneOff.isEmpty();
    }

    @Override
    @Exported
    public boolean isOffline() {
        return !isOnline();
    }

    @Override
    public boolean isOnline() {
        return told.getBoolean("online");
    }

    @Exported
    public boolean isTemporarilyOffline() {
        return isOffline();
    }

    @Override
    public boolean isAcceptingTasks() {
        return told.getBoolean("accepting");
    }

    @Override
    @Exported
    public String getIcon() {
        return !isAcceptingTasks()
                ? "symbol-computer-not-accepting"
                : isOffline() ? "symbol-computer-offline" : "symbol-computer";
    }

    @Override
    @Exported
    public String getIconClassName() {
        return getIcon();
    }

    @Override
    public IOfflineCause getOfflineCause() {
        return null;
    }

    @Override
    @Exported
    public String getOfflineCauseReason() {
        return "";
    }

    /** It is its controller that watches it. */
    @Exported
    public Map<String, Object> getMonitorData() {
        return Map.of();
    }

    @Override
    public boolean isConnecting() {
        return false;
    }

    @Override
    public int countBusy() {
        return countExecutors() - countIdle();
    }

    @Override
    public int countExecutors() {
        return told.getInt("executors");
    }

    @Override
    public int countIdle() {
        return told.getInt("idle");
    }

    @Override
    @Exported
    public boolean isLaunchSupported() {
        return false;
    }

    @Override
    public Future<?> connect(boolean forceReconnect) {
        return CompletableFuture.completedFuture(null);
    }
}
