package io.jenkins.plugins.ha.jobs;

import hudson.model.Failure;
import hudson.model.Item;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.bridge.Member;
import io.jenkins.plugins.ha.life.Pool;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;
import jenkins.model.Jenkins;
import jenkins.model.queue.ItemDeletion;

/**
 * Before an item is deleted, every controller stops its builds and starts none of it any more, as
 * core does on one; otherwise a build that still runs would write the deleted folder anew.
 * Thread-safe.
 */
public final class ItemDeletions {
    /** Asks a controller to stop all builds of an item and to start none; the body is its name. */
    public static final String TOPIC = "delete";

    private static final Logger LOGGER = Logger.getLogger(ItemDeletions.class.getName());
    private static final String DONE = "ok";
    private static final String BUSY = "busy";

    /** Core gives builds 15 s to stop. */
    private static final long ANSWER_MILLIS = 17_000;

    /** Core registers the deletion right after it has asked the listeners. */
    private static final long UNTIL_REGISTERED_NANOS = TimeUnit.SECONDS.toNanos(5);

    private static final long LONGEST_NANOS = TimeUnit.MINUTES.toNanos(10);

    private record Asked(Item item, long since) {}

    private record Stopped(Item item, String by, long since) {}

    private final ItemAnnouncer announcer;

    /** Deletions that have been asked for here, by full name. */
    private final Map<String, Asked> here = new ConcurrentHashMap<>();

    /** Items that another controller is about to delete, by full name. */
    private final Map<String, Stopped> elsewhere = new ConcurrentHashMap<>();

    private final Pool askers = new Pool("ha-jenkins-deletion-asker", 8, 1000);

    ItemDeletions(ItemAnnouncer announcer) {
        this.announcer = announcer;
    }

    /**
     * Has all other controllers stop the item's builds; waits for it, as long as core does.
     *
     * @throws Failure in the words for whoever wants to delete it, when some controller could not
     */
    void askOthers(Membership membership, Item item) throws Failure, InterruptedException {
        String name = item.getFullName();
        if (ItemDeletion.contains(item) && !elsewhere.containsKey(name)) {
            return; // with the folder it is in, or by another thread
        }
        Stopped other = elsewhere.get(name);
        if (other != null) {
            throw beingDeleted(item);
        }
        here.put(name, new Asked(item, System.nanoTime()));
        boolean all = false;
        try {
            Map<Member, CompletableFuture<String>> answers = new ConcurrentHashMap<>();
            for (Member member : others(membership)) {
                answers.put(
                        member,
                        CompletableFuture.supplyAsync(
                                () ->
                                        membership.ask(
                                                member.controllerId(), TOPIC, name, ANSWER_MILLIS),
                                this::onAsker));
            }
            for (Map.Entry<Member, CompletableFuture<String>> answer : answers.entrySet()) {
                heed(membership, item, answer.getKey(), answer.getValue());
            }
            all = true;
        } catch (HaException e) {
            throw new Failure(
                    "The other controllers cannot be asked to stop the builds of "
                            + item.getFullDisplayName()
                            + " just now, so it is not deleted: "
                            + e.getMessage());
        } finally {
            if (!all) {
                here.remove(name);
                tellKept(item);
            }
        }
    }

    private void onAsker(Runnable asking) {
        if (!askers.execute(asking)) {
            throw new Failure("Too many items are being deleted at once. Try again.");
        }
    }

    private static List<Member> others(Membership membership) {
        List<Member> others = new ArrayList<>(membership.cluster().members());
        others.removeIf(member -> member.controllerId().equals(membership.identity().id()));
        return others;
    }

    private static void heed(
            Membership membership, Item item, Member member, CompletableFuture<String> answer)
            throws InterruptedException {
        try {
            String said = answer.get();
            if (said.equals(BUSY)) {
                throw beingDeleted(item);
            }
            if (!said.equals(DONE) && !said.equals("unknown")) {
                throw new Failure(said); // core's words, said there
            }
        } catch (ExecutionException e) {
            if (others(membership).stream()
                    .anyMatch(m -> m.controllerId().equals(member.controllerId()))) {
                throw new Failure(
                        "The controller "
                                + member.name()
                                + " does not answer whether it has stopped the builds of "
                                + item.getFullDisplayName()
                                + ", so it is not deleted. Try again.");
            }
            LOGGER.log(Level.FINE, "Gone meanwhile, and its builds with it", e);
        }
    }

    private static Failure beingDeleted(Item item) {
        return new Failure(
                item.getFullDisplayName() + " is being deleted on another controller already");
    }

    /** The other side: stops what runs here of the item, and starts nothing of it from now on. */
    public String stopHere(String name, String asker, String ownId) {
        Item item = Jenkins.get().getItemByFullName(name);
        if (item == null) {
            return DONE;
        }
        if (here.containsKey(name) && ownId.compareTo(asker) < 0) {
            return BUSY; // two at once: the lower id deletes it
        }
        Stopped stopped = new Stopped(item, asker, System.nanoTime());
        Stopped before = elsewhere.putIfAbsent(name, stopped);
        if (before != null && !before.by.equals(asker)) {
            return BUSY;
        }
        if (!ItemDeletion.register(item) && before == null) {
            elsewhere.remove(name, stopped);
            return BUSY;
        }
        try {
            ItemDeletion.cancelBuildsInProgress(item);
            return DONE;
        } catch (Failure e) {
            kept(name);
            return String.valueOf(e.getMessage());
        } catch (InterruptedException e) {
            kept(name);
            Thread.currentThread().interrupt();
            return "This controller is being shut down.";
        }
    }

    /** This controller leaves. */
    void stop() {
        askers.stop();
    }

    /** It stays after all: builds of it may start here again. */
    void kept(String name) {
        Stopped stopped = elsewhere.remove(name);
        if (stopped != null) {
            ItemDeletion.deregister(stopped.item);
        }
    }

    /** It has been deleted, on whichever controller. */
    void done(Item item) {
        here.remove(item.getFullName());
        kept(item.getFullName());
    }

    /** Ends what did not come about: deletions that failed, or whose controller is gone. */
    void look() {
        long now = System.nanoTime();
        for (Iterator<Asked> each = here.values().iterator(); each.hasNext(); ) {
            Asked asked = each.next();
            if (now - asked.since > UNTIL_REGISTERED_NANOS
                    && !ItemDeletion.isRegistered(asked.item)) {
                each.remove();
                tellKept(asked.item);
            }
        }
        if (!elsewhere.isEmpty()) {
            Membership membership = Membership.active().orElseThrow();
            for (Map.Entry<String, Stopped> each : elsewhere.entrySet()) {
                Stopped stopped = each.getValue();
                if (now - stopped.since > LONGEST_NANOS || !isMember(membership, stopped.by)) {
                    kept(each.getKey());
                }
            }
        }
    }

    private static boolean isMember(Membership membership, String id) {
        try {
            return membership.cluster().members().stream()
                    .anyMatch(member -> member.controllerId().equals(id));
        } catch (HaException e) {
            return true; // not known just now
        }
    }

    private void tellKept(Item item) {
        announcer.tell(SharedItems.about(item, item.getRootDir(), ItemNews.Kind.KEPT, null));
    }
}
