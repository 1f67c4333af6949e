package io.jenkins.plugins.ha.locks;

import hudson.init.InitMilestone;
import hudson.model.Descriptor;
import hudson.model.Run;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.queue.HaQueue;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Supplier;
import java.util.logging.Level;
import java.util.logging.Logger;
import jenkins.model.Jenkins;
import net.sf.json.JSONObject;
import org.jenkins.plugins.lockableresources.LockStepExecution;
import org.jenkins.plugins.lockableresources.LockableResource;
import org.jenkins.plugins.lockableresources.LockableResourceProperty;
import org.jenkins.plugins.lockableresources.LockableResourcesManager;
import org.jenkins.plugins.lockableresources.actions.LockedResourcesBuildAction;
import org.jenkins.plugins.lockableresources.queue.LockableResourcesStruct;
import org.jenkins.plugins.lockableresources.queue.QueuedContextStruct;
import org.jenkinsci.Symbol;
import org.jenkinsci.plugins.workflow.graph.FlowNode;
import org.jenkinsci.plugins.workflow.steps.StepContext;
import org.kohsuke.stapler.StaplerRequest2;

/**
 * The plugin's manager of locks, with one state for all controllers: before each change this
 * controller has the {@link Pen} and the newest form of it, and what it grants counts once all
 * could read it. Who waits for what, in which order, and who may have it next is decided by the
 * plugin's own code.
 *
 * <p>A lock that a Pipeline of another controller waited for is granted here by writing so; that
 * controller, or the one that has adopted the Pipeline since, lets it go on.
 */
@Symbol("lockableResourcesManager")
public final class ClusterLocks extends LockableResourcesManager implements Pen.State {
    static final String NAME = "locks";

    private static final Logger LOGGER = Logger.getLogger(ClusterLocks.class.getName());
    private static final String PLUGINS = LockableResourcesManager.class.getName();
    private static final int TRIES = 5;
    private static final int PREPARE_ROUNDS = 50;
    private static final long PREPARE_MILLIS = 100;

    private final transient LockInternals internals;
    private final transient Pen pen;
    private final transient LockHolders holders = new LockHolders();
    private final transient QueuedJobs jobs;
    private final transient LockedPipelines pipelines;

    /** By id, the steps that wait here: their places in the graphs of their Pipelines. */
    private final transient Map<String, StoredLocks.Waiter> places = new HashMap<>();

    /** By id, steps that have been given a lock and have not gone on, as far as is known here. */
    private final transient Map<String, StoredLocks.Waiter> granted = new LinkedHashMap<>();

    /** Ids of those that have gone on here since. */
    private final transient Set<String> gone = new HashSet<>();

    /** Ids of those of them of which all can read. */
    private transient Set<String> settled = Set.of();

    /** Builds that are gone, and whose locks are to be freed. */
    private final transient Set<String> toFree = new TreeSet<>();

    private final transient ThreadLocal<Boolean> changing = ThreadLocal.withInitial(() -> false);

    private ClusterLocks(LockInternals internals) {
        this.internals = internals;
        this.pen = new Pen(NAME, syncResources, this);
        this.jobs = new QueuedJobs(this);
        this.pipelines = new LockedPipelines(this);
        internals.queue(this).clear(); // of a time before the cluster
    }

    static ClusterLocks make(Descriptor<?> present) throws ReflectiveOperationException {
        LockInternals internals = new LockInternals();
        ClusterLocks locks = new ClusterLocks(internals);
        internals.pretend(locks, present.clazz);
        return locks;
    }

    void start(Membership membership) {
        pen.start(membership.cluster(), membership.watchdog());
    }

    Pen pen() {
        return pen;
    }

    LockInternals internals() {
        return internals;
    }

    /** The plugin's file is read and written under its own name. */
    @Override
    public String getId() {
        return PLUGINS;
    }

    // what the plugin changes

    /** Makes a change of this controller one of the cluster; answers what it answers. */
    <T> T change(Supplier<T> change) {
        synchronized (syncResources) {
            if (changing.get()) {
                return change.get();
            }
            for (int tries = 1; ; tries++) {
                pen.await();
                changing.set(true);
                T result;
                try {
                    result = change.get();
                } finally {
                    changing.set(false);
                }
                try {
                    pen.publish();
                } catch (Pen.Lost e) {
                    if (tries < TRIES) {
                        continue; // once more, from what others have made of it
                    }
                    throw new IllegalStateException(
                            "The locks of the cluster could not be changed: this controller was"
                                    + " not a member of it for long enough");
                }
                return result;
            }
        }
    }

    private void change(Runnable change) {
        change(
                () -> {
                    change.run();
                    return null;
                });
    }

    /** Core asks under its queue's lock, under which nobody waits for the network. */
    private boolean mayWait() {
        return !HaQueue.isLockedHere();
    }

    /** A {@code lock} step asks it first, with the monitor: from there on it sees the newest. */
    @Override
    public boolean isAllowEmptyOrNullValues() {
        if (pen != null && Thread.holdsLock(syncResources) && mayWait() && !changing.get()) {
            pen.await();
        }
        return super.isAllowEmptyOrNullValues();
    }

    /** What else changes something saves it; here that is written with what it is part of. */
    @Override
    public void save() {
        if (pen == null || changing.get() || !mayWait()) {
            return;
        }
        synchronized (syncResources) {
            if (pen.isHere()) {
                return; // written before the pen is given back
            }
            // changed without the pen, as scripts do
            Map<String, LockableResource> changed = new LinkedHashMap<>();
            byte[] written = pen.known();
            Map<String, String> before =
                    written == null ? Map.of() : StoredLocks.of(written).each();
            for (LockableResource resource : getResources()) {
                String now = Jenkins.XSTREAM2.toXML(resource);
                if (!now.equals(before.get(resource.getName()))) {
                    changed.put(
                            resource.getName(), (LockableResource) Jenkins.XSTREAM2.fromXML(now));
                }
            }
            boolean allow = super.isAllowEmptyOrNullValues();
            change(
                    () -> {
                        setAllowEmptyOrNullValues(allow);
                        changed.values().forEach(this::put);
                    });
        }
    }

    private void put(LockableResource resource) {
        LockableResource present = fromName(resource.getName());
        if (present == null) {
            getResources().add(resource);
        } else {
            internals.copy(resource, present);
        }
    }

    @Override
    public boolean lock(List<LockableResource> resources, Run<?, ?> build) {
        boolean[] first = {true};
        return change(
                () -> {
                    if (build != null && LockHolders.runsElsewhere(build)) {
                        throw new IllegalStateException(
                                build + " goes on elsewhere: it gets no lock here");
                    }
                    boolean locked = super.lock(resources, build);
                    if (!locked && !first[0]) {
                        throw new IllegalStateException(
                                resources
                                        + " was taken by another build while this controller did"
                                        + " not answer");
                    }
                    first[0] = false;
                    return locked;
                });
    }

    @Override
    public void unlockBuild(Run<?, ?> build) {
        if (build == null) {
            return;
        }
        String id = build.getExternalizableId();
        synchronized (syncResources) {
            if (!concerns(id) || LockHolders.runsElsewhere(build)) {
                return;
            }
        }
        change(() -> free(id));
    }

    /** Whether this build holds something or waits for something, as is known here. */
    private boolean concerns(String id) {
        return holdersAndWaiters().contains(id);
    }

    /** Under the monitor, with the pen: all that a build that is gone held or waited for. */
    private void free(String id) {
        internals.queue(this).removeIf(entry -> id.equals(waiterOf(entry).build));
        granted.values().removeIf(waiter -> id.equals(waiter.build));
        List<LockableResource> held = new ArrayList<>();
        for (LockableResource resource : getResources()) {
            if (id.equals(internals.holder(resource))) {
                held.add(resource);
            }
        }
        Run<?, ?> run = LockHolders.find(id);
        for (LockableResource resource : held) {
            if (run == null) {
                resource.setBuild(null);
            }
        }
        if (run != null && !held.isEmpty()) {
            unlockResources(held, run);
        } else {
            grant();
        }
    }

    /** A step that has come to its end; one that goes on elsewhere has its end there. */
    @Override
    public void unlockNames(List<String> names, Run<?, ?> build) {
        change(
                () -> {
                    if (build == null || !LockHolders.runsElsewhere(build)) {
                        super.unlockNames(names, build);
                    }
                });
    }

    @Override
    public void unlockResources(List<LockableResource> resources, Run<?, ?> build) {
        if (resources == null || resources.isEmpty()) {
            return;
        }
        change(
                () -> {
                    for (LockableResource resource : resources) {
                        if (build != null
                                && build.getExternalizableId().equals(internals.holder(resource))) {
                            internals.holder(resource, build); // it may be loaded anew by now
                        }
                    }
                    withoutWaiting(() -> super.unlockResources(resources, build));
                });
    }

    @Override
    public void unreserve(List<LockableResource> resources) {
        change(() -> withoutWaiting(() -> super.unreserve(resources)));
    }

    @Override
    public boolean reserve(List<LockableResource> resources, String userName) {
        return change(() -> super.reserve(resources, userName));
    }

    @Override
    public boolean steal(List<LockableResource> resources, String userName) {
        return change(() -> super.steal(resources, userName));
    }

    @Override
    public void reassign(List<LockableResource> resources, String userName) {
        change(() -> super.reassign(resources, userName));
    }

    @Override
    public void reset(List<LockableResource> resources) {
        change(() -> super.reset(resources));
    }

    @Override
    public void recycle(List<LockableResource> resources) {
        change(() -> super.recycle(resources));
    }

    @Override
    public void setDeclaredResources(List<LockableResource> declared) {
        if (pen == null) {
            super.setDeclaredResources(declared);
            return;
        }
        change(() -> super.setDeclaredResources(declared));
    }

    @Override
    public boolean configure(StaplerRequest2 request, JSONObject json) {
        return change(() -> super.configure(request, json));
    }

    @Override
    public boolean addResource(LockableResource resource, boolean doSave) {
        if (pen == null || !doSave || pen.isHere() || !mayWait()) {
            return super.addResource(resource, doSave);
        }
        synchronized (syncResources) {
            if (resource != null && fromName(resource.getName()) != null) {
                return false;
            }
        }
        return change(() -> super.addResource(resource, true));
    }

    @Override
    public void changeQueueOrder(String queueId, int newPosition) throws IOException {
        IOException[] refused = new IOException[1];
        change(
                () -> {
                    try {
                        super.changeQueueOrder(queueId, newPosition);
                    } catch (IOException e) {
                        refused[0] = e;
                    }
                });
        if (refused[0] != null) {
            throw refused[0];
        }
    }

    @Override
    public void queueContext(
            StepContext context,
            List<LockableResourcesStruct> required,
            String description,
            String variable,
            boolean inversePrecedence,
            int priority) {
        StoredLocks.Waiter place = placeOf(context);
        change(
                () -> {
                    super.queueContext(
                            context, required, description, variable, inversePrecedence, priority);
                    for (QueuedContextStruct entry : internals.queue(this)) {
                        if (entry.getContext() == context) {
                            places.put(entry.getId(), place);
                        }
                    }
                });
    }

    private static StoredLocks.Waiter placeOf(StepContext context) {
        try {
            Run<?, ?> run = context.get(Run.class);
            if (LockHolders.runsElsewhere(run)) {
                throw new IllegalStateException(run + " goes on elsewhere: it waits there");
            }
            StoredLocks.Waiter place = new StoredLocks.Waiter();
            place.build = run.getExternalizableId();
            place.node = context.get(FlowNode.class).getId();
            return place;
        } catch (IOException e) {
            throw new IllegalStateException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    @Override
    public boolean unqueueContext(StepContext context) {
        return change(() -> super.unqueueContext(context));
    }

    // freestyle jobs: the plugin asks under the queue's lock

    @Override
    public boolean queue(List<LockableResource> resources, long item, String project) {
        List<String> names = getResourcesNames(resources);
        return jobs.has(item, names.size())
                || jobs.ask(item, () -> super.queue(fromNames(names, true), item, project));
    }

    @Override
    public List<LockableResource> tryQueue(
            LockableResourcesStruct required,
            long item,
            String project,
            int number,
            Map<String, Object> params,
            Logger log) {
        List<LockableResource> had = jobs.of(item);
        if (!had.isEmpty()) {
            return had;
        }
        jobs.ask(
                item,
                () -> {
                    try {
                        return super.tryQueue(required, item, project, number, params, log) != null;
                    } catch (java.util.concurrent.ExecutionException e) {
                        LOGGER.log(Level.WARNING, "Resources for " + project, e);
                        return false;
                    }
                });
        return null;
    }

    // who waits

    /** The plugin lets Pipelines go on itself that wait; here they may wait elsewhere. */
    private void withoutWaiting(Runnable change) {
        List<QueuedContextStruct> queue = internals.queue(this);
        List<QueuedContextStruct> waiting = new ArrayList<>(queue);
        queue.clear();
        try {
            change.run();
        } finally {
            queue.addAll(0, waiting);
        }
        grant();
    }

    /** As the plugin does it: the first in the queue that can have all that it wants has it. */
    private void grant() {
        if (Jenkins.get().getInitLevel().compareTo(InitMilestone.JOB_CONFIG_ADAPTED) < 0) {
            return; // who holds what is not known yet
        }
        List<QueuedContextStruct> queue = internals.queue(this);
        for (int i = 0; i < queue.size(); i++) {
            QueuedContextStruct entry = queue.get(i);
            StoredLocks.Waiter waiter = waiterOf(entry);
            Run<?, ?> build = waiter.build == null ? null : LockHolders.find(waiter.build);
            if (build == null) {
                continue;
            }
            List<LockableResource> free = getAvailableResources(entry.getResources());
            if (free == null || free.isEmpty()) {
                continue;
            }
            waiter.got = getResourcesNames(free);
            for (LockableResource resource : fromNames(waiter.got, true)) {
                resource.unqueue();
                resource.setBuild(build);
            }
            queue.remove(i);
            granted.put(waiter.id, waiter);
            pipelines.granted(waiter, entry);
            i = -1; // from the first again
        }
    }

    /** What there is to be stored of it. */
    StoredLocks.Waiter waiterOf(QueuedContextStruct entry) {
        if (entry instanceof WaitsElsewhere elsewhere) {
            return elsewhere.waiter();
        }
        StoredLocks.Waiter waiter = new StoredLocks.Waiter();
        StoredLocks.Waiter place = places.get(entry.getId());
        waiter.id = entry.getId();
        waiter.build = place == null ? null : place.build;
        waiter.node = place == null ? null : place.node;
        waiter.description = entry.getResourceDescription();
        waiter.variable = entry.getVariableName();
        waiter.priority = entry.getPriority();
        waiter.required = entry.getResources();
        return waiter;
    }

    /**
     * Lets the Pipelines that run here and have been given a lock go on, now that all can read that
     * they have it. Under the monitor.
     */
    void goOn() {
        for (StoredLocks.Waiter waiter : List.copyOf(granted.values())) {
            StepContext context = settled.contains(waiter.id) ? pipelines.waitsHere(waiter) : null;
            if (context == null) {
                continue;
            }
            granted.remove(waiter.id);
            gone.add(waiter.id);
            places.remove(waiter.id);
            LinkedHashMap<String, List<LockableResourceProperty>> got = new LinkedHashMap<>();
            for (LockableResource resource : fromNames(waiter.got, false)) {
                got.put(resource.getName(), resource.getProperties());
            }
            Run<?, ?> run = LockHolders.find(waiter.build);
            if (run != null) {
                LockedResourcesBuildAction.findAndInitAction(run).addUsedResources(waiter.got);
            }
            LockStepExecution.proceed(got, context, waiter.description, waiter.variable);
            pen.want(); // to write that it has
        }
    }

    /** A build holds locks by mistake. Under the monitor. */
    void freeSoon(String build) {
        toFree.add(build);
        pen.want();
    }

    /** A step that was given a lock has gone on already. Under the monitor. */
    void hasGoneOn(StoredLocks.Waiter waiter) {
        granted.remove(waiter.id);
        gone.add(waiter.id);
        pen.want();
    }

    /** A step that runs here takes its place in the queue. Under the monitor. */
    void waitsHere(StoredLocks.Waiter waiter, StepContext context) {
        List<QueuedContextStruct> queue = internals.queue(this);
        for (int i = 0; i < queue.size(); i++) {
            if (queue.get(i) instanceof WaitsElsewhere entry && entry.getId().equals(waiter.id)) {
                QueuedContextStruct here =
                        new QueuedContextStruct(
                                context,
                                waiter.required,
                                waiter.description,
                                waiter.variable,
                                waiter.priority);
                internals.id(here, waiter.id);
                places.put(waiter.id, waiter);
                queue.set(i, here);
            }
        }
    }

    /** All that wait and do not run here, and all that were given a lock. Under the monitor. */
    List<StoredLocks.Waiter> notHere() {
        List<StoredLocks.Waiter> result = new ArrayList<>(granted.values());
        for (QueuedContextStruct entry : internals.queue(this)) {
            if (entry instanceof WaitsElsewhere elsewhere) {
                result.add(elsewhere.waiter());
            }
        }
        return result;
    }

    /** All that wait or were given a lock, for one build. Under the monitor. */
    List<StoredLocks.Waiter> of(String build) {
        List<StoredLocks.Waiter> result = new ArrayList<>(granted.values());
        internals.queue(this).forEach(entry -> result.add(waiterOf(entry)));
        result.removeIf(waiter -> !build.equals(waiter.build));
        return result;
    }

    /** Ids of all builds that hold something or wait. Under the monitor. */
    Set<String> holdersAndWaiters() {
        Set<String> ids = new HashSet<>();
        getResources().forEach(resource -> ids.add(internals.holder(resource)));
        notHere().forEach(waiter -> ids.add(waiter.build));
        places.values().forEach(place -> ids.add(place.build));
        ids.remove(null);
        return ids;
    }

    // what is shared

    @Override
    public byte[] text() {
        StoredLocks stored = new StoredLocks();
        stored.allowEmptyOrNullValues = super.isAllowEmptyOrNullValues();
        stored.resources.addAll(getResources());
        internals.queue(this).forEach(entry -> stored.waiting.add(waiterOf(entry)));
        stored.granted.addAll(granted.values());
        return stored.text();
    }

    @Override
    public Object read(byte[] text) {
        return StoredLocks.of(text);
    }

    @Override
    public void install(Object form) {
        StoredLocks stored = (StoredLocks) form;
        setAllowEmptyOrNullValues(stored.allowEmptyOrNullValues);
        Map<String, LockableResource> present = new HashMap<>();
        for (LockableResource resource : getResources()) {
            present.put(resource.getName(), resource);
        }
        List<LockableResource> now = new ArrayList<>();
        for (LockableResource resource : stored.resources) {
            LockableResource here = present.remove(resource.getName());
            if (here == null) {
                now.add(resource);
            } else {
                internals.copy(resource, here);
                now.add(here);
            }
        }
        present.values().stream().filter(LockableResource::isNodeResource).forEach(now::add);
        internals.resources(this, now);
        List<QueuedContextStruct> queue = internals.queue(this);
        Map<String, QueuedContextStruct> here = new HashMap<>();
        for (QueuedContextStruct entry : queue) {
            if (!(entry instanceof WaitsElsewhere)) {
                here.put(entry.getId(), entry);
            }
        }
        queue.clear();
        for (StoredLocks.Waiter waiter : stored.waiting) {
            QueuedContextStruct entry = here.remove(waiter.id);
            queue.add(
                    entry == null || pipelines.isElsewhere(waiter)
                            ? new WaitsElsewhere(waiter)
                            : entry);
        }
        granted.clear();
        Set<String> known = new HashSet<>();
        for (StoredLocks.Waiter waiter : stored.granted) {
            known.add(waiter.id);
            if (!gone.contains(waiter.id)) {
                granted.put(waiter.id, waiter);
                QueuedContextStruct entry = here.remove(waiter.id);
                if (entry != null) {
                    pipelines.granted(waiter, entry);
                }
            }
        }
        gone.retainAll(known);
        Set<String> waiting = new HashSet<>(granted.keySet());
        queue.forEach(entry -> waiting.add(entry.getId()));
        places.keySet().retainAll(waiting);
        jobs.newForm();
    }

    @Override
    public void prepare() {
        if (Jenkins.get().getInitLevel().compareTo(InitMilestone.JOB_LOADED) < 0) {
            return;
        }
        for (int round = 0; round < PREPARE_ROUNDS; round++) {
            Set<String> unknown = new TreeSet<>();
            synchronized (syncResources) {
                for (LockableResource resource : getResources()) {
                    if (internals.holder(resource) != null
                            && internals.knownHolder(resource) == null) {
                        unknown.add(internals.holder(resource));
                    }
                }
            }
            boolean later = false;
            for (String id : unknown) {
                Run<?, ?> run = LockHolders.find(id);
                later |= run == null && LockHolders.isThere(id);
                synchronized (syncResources) {
                    for (LockableResource resource : getResources()) {
                        if (run != null && id.equals(internals.holder(resource))) {
                            internals.holder(resource, run);
                        }
                    }
                }
            }
            if (!later) {
                return;
            }
            try {
                Thread.sleep(PREPARE_MILLIS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
        }
        throw new IllegalStateException(
                "A build that holds a lock cannot be read from the jobs folder: no lock is given"
                        + " by this controller until it can be");
    }

    @Override
    public void penIsHere() {
        changing.set(true);
        try {
            toFree.forEach(this::free);
            toFree.clear();
            jobs.answer();
        } finally {
            changing.set(false);
        }
    }

    private record Promises(Set<String> granted, Set<Long> queued) {}

    @Override
    public Object promises() {
        return new Promises(Set.copyOf(granted.keySet()), jobs.marked());
    }

    @Override
    public void stored(Object promises) {
        Promises made = (Promises) promises;
        settled = made.granted;
        jobs.stored(made.queued);
        goOn();
    }

    @Override
    public void tick() {
        if (Jenkins.get().getInitLevel() != InitMilestone.COMPLETED) {
            return;
        }
        pipelines.look();
        Set<String> ids;
        synchronized (syncResources) {
            ids = holdersAndWaiters();
        }
        Set<String> gone = holders.gone(ids);
        if (!gone.isEmpty()) {
            LOGGER.warning(() -> gone + " are gone: the locks that they held are free");
            synchronized (syncResources) {
                toFree.addAll(gone);
                pen.want();
            }
        }
    }
}
