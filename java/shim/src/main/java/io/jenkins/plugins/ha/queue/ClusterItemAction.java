package io.jenkins.plugins.ha.queue;

import hudson.model.Action;
import hudson.model.InvisibleAction;
import hudson.model.Queue;
import hudson.model.Run;
import io.jenkins.plugins.ha.ControllerIdentity;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.bridge.Item;
import io.jenkins.plugins.ha.builds.BuildStory;
import io.jenkins.plugins.ha.builds.PipelineFence;
import io.jenkins.plugins.ha.builds.ReadOnlyCopies;
import java.util.List;
import jenkins.model.RunAction2;
import org.kohsuke.stapler.export.Exported;
import org.kohsuke.stapler.export.ExportedBean;

/**
 * Ties a queue item, and the build it becomes, to the cluster: which item it is, and which
 * controller holds it. Travels from the item to the build like any action, and is saved with the
 * build, so that every controller can tell whose a build is from its file alone.
 */
@ExportedBean
public final class ClusterItemAction extends InvisibleAction
        implements Queue.QueueAction, RunAction2 {
    private final long itemId;
    private volatile long epoch;
    private volatile String controllerId;
    private volatile String incarnation;
    private volatile String controllerName;

    /** The cluster's queue holds a placeholder only: its build cannot be claimed anywhere else. */
    private final boolean kept;

    private transient volatile Run<?, ?> build;

    private ClusterItemAction(long itemId, long epoch, ControllerIdentity holder) {
        this(itemId, epoch, holder, false);
    }

    private ClusterItemAction(long itemId, long epoch, ControllerIdentity holder, boolean kept) {
        this.kept = kept;
        this.itemId = itemId;
        this.epoch = epoch;
        this.controllerId = holder.id();
        this.incarnation = holder.incarnation();
        this.controllerName = holder.name();
    }

    /** An item accepted by {@code origin} and not yet claimed. */
    static ClusterItemAction accepted(long itemId, ControllerIdentity origin) {
        return new ClusterItemAction(itemId, 0, origin);
    }

    /** An item claimed by {@code owner} in its membership {@code epoch}. */
    static ClusterItemAction claimed(long itemId, long epoch, ControllerIdentity owner) {
        return new ClusterItemAction(itemId, epoch, owner);
    }

    /** Something that runs on {@code owner} with the turn of this placeholder in the queue. */
    static ClusterItemAction kept(long placeholder, long epoch, ControllerIdentity owner) {
        return new ClusterItemAction(placeholder, epoch, owner, true);
    }

    /** Something that runs on {@code owner} without being an item of the cluster's queue. */
    public static ClusterItemAction local(ControllerIdentity owner) {
        return new ClusterItemAction(0, 0, owner);
    }

    /** For showing an item whose payload is not at hand. */
    static ClusterItemAction shownOnly(Item item) {
        return new ClusterItemAction(
                item.id(), item.epoch(), new ControllerIdentity(item.origin(), "", item.origin()));
    }

    /** Name of the controller that runs this build, as its file says; else {@code otherwise}. */
    public static String controllerOf(Run<?, ?> run, String otherwise) {
        ClusterItemAction action = run == null ? null : run.getAction(ClusterItemAction.class);
        return action == null ? otherwise : action.controllerName();
    }

    /** The item's id in the cluster, 0 when the cluster's queue does not hold it. */
    public long itemId() {
        return itemId;
    }

    /** Whether its build can only run on the controller that holds it. */
    public boolean isKept() {
        return kept;
    }

    /** The membership under which it was claimed, 0 when it was not. */
    public long epoch() {
        return epoch;
    }

    /** Id of the controller that holds it. */
    public String controllerId() {
        return controllerId;
    }

    /** What people call that controller. */
    public String controllerName() {
        return controllerName;
    }

    /** The boot of that controller. */
    public String incarnation() {
        return incarnation;
    }

    /**
     * Name of the controller that runs, or ran, the build; null on a queue item, which says the
     * same on all controllers.
     */
    @Exported(visibility = 2, skipNull = true)
    public String getHaController() {
        return build == null ? null : controllerName;
    }

    /** For the build's page; null on a queue item. */
    public BuildStory getStory() {
        Run<?, ?> run = build;
        return run == null ? null : BuildStory.of(run, controllerName);
    }

    /** The item whose trace may be asked for; 0 for none. */
    public long getTraced() {
        return Membership.active().isPresent() ? itemId : 0;
    }

    /** Two items of the cluster are two items: they were compared when they were accepted. */
    @Override
    public boolean shouldSchedule(List<Action> actions) {
        return true;
    }

    @Override
    public void onAttached(Run<?, ?> run) {
        build = run;
    }

    /** Another controller than build.xml says goes on with the build, in this membership. */
    public void heldBy(ControllerIdentity owner, long newEpoch) {
        controllerId = owner.id();
        incarnation = owner.incarnation();
        controllerName = owner.name();
        epoch = newEpoch;
    }

    /**
     * Before Jenkins looks at what it read: another controller's running build must not look ended,
     * and must never be resumed.
     */
    @Override
    public void onLoad(Run<?, ?> run) {
        build = run;
        Membership.active().ifPresent(membership -> membership.builds().loaded(run, this));
    }

    /** Called by XStream, while the build is being written and its file is as it was. */
    private Object writeReplace() {
        Run<?, ?> written = build;
        if (written != null) {
            PipelineFence.beforeSave(written); // one that another has taken over is not written
            ReadOnlyCopies.beforeWriting(written);
        }
        return this;
    }
}
