package io.jenkins.plugins.ha.standin;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.jenkins.plugins.ha.bridge.CancelOutcome;
import io.jenkins.plugins.ha.bridge.Cluster;
import io.jenkins.plugins.ha.bridge.Enqueued;
import io.jenkins.plugins.ha.bridge.Event;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.bridge.Item;
import io.jenkins.plugins.ha.bridge.ItemState;
import io.jenkins.plugins.ha.bridge.NewItem;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * A controller of the cluster that is not Jenkins: what its users can do, and what it does when the
 * cluster calls.
 */
final class Standin {
    private static final Logger LOG = Logger.getLogger(Standin.class.getName());
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int ATTEMPTS = 20;
    private static final long PAUSE_MILLIS = 50;
    private static final long ASK_MILLIS = 5_000;

    final Settings settings;
    final JobsFolder jobs;
    final QueueView queue = new QueueView();
    final Dispatcher dispatcher;
    final RecordKeeper records;
    private final Cluster cluster;
    // Commands and orphans may wait for Redis or the disk; events must not.
    private final ExecutorService worker =
            Executors.newFixedThreadPool(4, task -> new Thread(task, "worker"));

    Standin(Settings settings, Cluster cluster) {
        this.settings = settings;
        this.cluster = cluster;
        this.jobs = new JobsFolder(settings.home().resolve("jobs"));
        this.records = new RecordKeeper(settings, cluster, jobs);
        this.dispatcher = new Dispatcher(cluster, settings, jobs, records);
    }

    void start() {
        new Thread(this::followEvents, "events").start();
        records.start();
        dispatcher.start();
    }

    /** Aborts its builds, hands back the rest, leaves the cluster. */
    void stop() throws InterruptedException {
        dispatcher.stop();
        cluster.close();
        records.close();
        worker.shutdownNow();
    }

    String link() {
        return cluster.link().phase() + " " + cluster.link().text();
    }

    /**
     * What a handler would say, as those of Jenkins that limit what waits: it refuses a second
     * trigger of its job while one that asks for this waits.
     */
    boolean refuses(String name, Trigger trigger) throws IOException {
        if (!trigger.isOnlyOnce()) {
            return false;
        }
        for (Item item : queue.live(i -> i.job().equals(name) && i.number() == 0)) {
            if (item.payload() != null && Trigger.from(item.payload()).isOnlyOnce()) {
                return true;
            }
        }
        return false;
    }

    /**
     * Puts a build into the queue, or into one of the same parameters that waits already.
     *
     * @return the queue id
     */
    long trigger(String name, JobsFolder.Job job, Trigger trigger) {
        long id = cluster.nextQueueId();
        List<Item> waiting = queue.queued(name);
        long seen = queue.revision(name);
        HaException.Unavailable away = null;
        Fold unsure = null;
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            Fold fold = null;
            try {
                if (unsure != null && isFolded(unsure)) {
                    return unsure.into();
                }
                fold = unsure = fold(waiting, trigger);
                Enqueued answer;
                if (fold != null) {
                    answer =
                            cluster.fold(
                                    fold.into(), seen, fold.both().payload(), job.quietMillis());
                } else {
                    answer =
                            cluster.enqueue(
                                    new NewItem(
                                            id,
                                            name,
                                            "",
                                            NewItem.DEFAULT_PRIORITY,
                                            job.quietMillis(),
                                            job.concurrent(),
                                            "",
                                            trigger.payload()),
                                    seen);
                }
                unsure = null;
                if (answer.accepted()) {
                    return fold != null ? fold.into() : id;
                }
                waiting = answer.queued();
                seen = answer.revision();
            } catch (HaException.Unavailable e) {
                // It may have been stored: asked again with the same id, it is stored once.
                away = e;
                cluster.awaitJoined(1_000);
            } catch (HaException.Conflict | HaException.NotFound e) {
                // The one to fold into is gone meanwhile.
                unsure = null;
                waiting = List.of();
            } catch (IOException e) {
                throw new IllegalStateException("own payload cannot be read", e);
            }
        }
        throw away != null
                ? away
                : new IllegalStateException(name + " is triggered too often at once");
    }

    /**
     * Accepts a trigger whose build stays on this controller, and ends with it.
     *
     * @return the queue id
     */
    long triggerHere(String name, JobsFolder.Job job, Trigger trigger) {
        NewItem item =
                new NewItem(
                        cluster.nextQueueId(),
                        name,
                        Dispatcher.STAYS,
                        NewItem.DEFAULT_PRIORITY,
                        job.quietMillis(),
                        job.concurrent(),
                        settings.controllerId(),
                        trigger.payload());
        for (int attempt = 1; ; attempt++) {
            try {
                cluster.enqueue(item, -1);
                return item.id();
            } catch (HaException.Unavailable e) {
                if (attempt == ATTEMPTS) {
                    throw e;
                }
                cluster.awaitJoined(1_000);
            }
        }
    }

    /** A trigger that goes into an item that waits: which, and what it then says. */
    private record Fold(long into, Trigger both) {}

    private static Fold fold(List<Item> waiting, Trigger trigger) throws IOException {
        Optional<Item> same = sameParameters(waiting, trigger);
        return same.isEmpty()
                ? null
                : new Fold(same.get().id(), Trigger.from(same.get().payload()).with(trigger));
    }

    /**
     * Whether a fold that got no answer was made.
     *
     * @throws IllegalStateException when the item has ended since: nobody knows any more
     */
    private boolean isFolded(Fold fold) throws IOException {
        Optional<Item> item = cluster.item(fold.into());
        if (item.isEmpty() || item.get().payload() == null) {
            throw new IllegalStateException(
                    "Redis did not answer in time, and item "
                            + fold.into()
                            + " has ended since: its build may be for this trigger or not");
        }
        List<String> causes = Trigger.from(item.get().payload()).causes();
        List<String> folded = fold.both().causes();
        return causes.size() >= folded.size() && causes.subList(0, folded.size()).equals(folded);
    }

    /** An item by id, also one that other controllers accepted just now. */
    Optional<Item> item(long id) {
        return queue.item(id).or(() -> cluster.item(id));
    }

    /** Stops a build wherever it runs; false when none runs. */
    boolean abort(String job, int number, String who) {
        if (dispatcher.abort(job, number, who)) {
            return true;
        }
        Optional<Item> item =
                queue.build(job, number).filter(i -> !i.owner().equals(settings.controllerId()));
        item.ifPresent(found -> unwanted(found.id(), who));
        return item.isPresent()
                && ask(
                        item.get().owner(),
                        "abort",
                        JSON.createObjectNode()
                                .put("job", job)
                                .put("number", number)
                                .put("who", who));
    }

    /** Should its controller die over it, or be dead already, the build is not run again. */
    private void unwanted(long id, String who) {
        try {
            cluster.unwanted(id, who);
        } catch (HaException e) {
            LOG.log(
                    Level.INFO,
                    "Not noted that {0} is to end: {1}",
                    new Object[] {id, e.getMessage()});
        }
    }

    /** Cancels a queue item wherever it waits; false when there is none or it has started. */
    boolean cancel(long id, String who) {
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            CancelOutcome outcome = cluster.cancel(id, who);
            if (outcome != CancelOutcome.HELD) {
                return outcome == CancelOutcome.CANCELLED;
            }
            String owner = cluster.item(id).map(Item::owner).orElse("");
            try {
                if (owner.equals(settings.controllerId())
                        ? dispatcher.cancel(id, who)
                        : !owner.isEmpty()
                                && ask(
                                        owner,
                                        "cancel",
                                        JSON.createObjectNode().put("id", id).put("who", who))) {
                    return true;
                }
            } catch (HaException.NotFound | HaException.Unavailable e) {
                LOG.log(
                        Level.INFO,
                        "{0} did not answer about {1}: {2}",
                        new Object[] {owner, id, e.getMessage()});
            }
            // Its holder may not have heard yet that it was given the item.
            pause(PAUSE_MILLIS);
        }
        return false;
    }

    private static void pause(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Deletes a build that has ended; false when there is none, or it runs. */
    boolean delete(String job, int number) throws IOException {
        Optional<BuildRecord> build = jobs.read(job, number);
        if (build.isEmpty() || build.get().result() == null) {
            return false;
        }
        jobs.delete(job, number);
        records.gone(job, number);
        return true;
    }

    private boolean ask(String owner, String topic, JsonNode body) {
        byte[] answer =
                cluster.ask(
                        owner,
                        topic,
                        body.toString().getBytes(StandardCharsets.UTF_8),
                        UUID.randomUUID().toString(),
                        ASK_MILLIS);
        return "done".equals(new String(answer, StandardCharsets.UTF_8));
    }

    private void followEvents() {
        while (true) {
            try {
                cluster.nextEvent(60_000).ifPresent(this::handle);
            } catch (HaException.Closed e) {
                return;
            } catch (HaException e) {
                LOG.log(Level.INFO, "No events: {0}", e.getMessage());
                cluster.awaitJoined(1_000);
            } catch (RuntimeException e) {
                LOG.log(Level.WARNING, "Event not handled", e);
            }
        }
    }

    private void handle(Event event) {
        if (event instanceof Event.Snapshot snapshot) {
            queue.replace(snapshot.items());
            for (long id : dispatcher.reconcile(snapshot.items())) {
                worker.execute(() -> dispatcher.keepOrStop(id));
            }
        } else if (event instanceof Event.ItemChanged change) {
            queue.put(change.item());
        } else if (event instanceof Event.Orphaned orphan) {
            queue.put(orphan.item());
            worker.execute(() -> dispatcher.orphaned(orphan.item()));
        } else if (event instanceof Event.Command command) {
            worker.execute(() -> obey(command));
        } else if (event instanceof Event.LinkChanged change) {
            LOG.log(
                    Level.INFO,
                    "{0}: {1}",
                    new Object[] {change.state().phase(), change.state().text()});
        }
    }

    private void obey(Event.Command command) {
        boolean done = false;
        try {
            JsonNode body = JSON.readTree(command.body());
            String who = body.path("who").asText();
            done =
                    switch (command.topic()) {
                        case "abort" ->
                                dispatcher.abort(
                                        body.path("job").asText(),
                                        body.path("number").asInt(),
                                        who);
                        case "cancel" -> dispatcher.cancel(body.path("id").asLong(), who);
                        default -> false;
                    };
        } catch (IOException | RuntimeException e) {
            LOG.log(Level.WARNING, "Command " + command.topic() + " not done", e);
        }
        try {
            cluster.answer(
                    command.requestId(), (done ? "done" : "no").getBytes(StandardCharsets.UTF_8));
        } catch (HaException e) {
            LOG.log(Level.INFO, "Answer not sent: {0}", e.getMessage());
        }
    }

    private static Optional<Item> sameParameters(List<Item> waiting, Trigger trigger) {
        return waiting.stream()
                .filter(i -> i.state() == ItemState.QUEUED && i.payload() != null)
                .filter(i -> !i.lane().equals(Dispatcher.STAYS))
                .filter(i -> parametersOf(i).equals(Optional.of(trigger.parameters())))
                .findFirst();
    }

    private static Optional<Map<String, String>> parametersOf(Item item) {
        try {
            return Optional.of(Trigger.from(item.payload()).parameters());
        } catch (IOException e) {
            return Optional.empty();
        }
    }
}
