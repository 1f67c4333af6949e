package io.jenkins.plugins.ha.carried;

import hudson.PluginWrapper;
import hudson.model.User;
import io.jenkins.plugins.ha.ControllerIdentity;
import io.jenkins.plugins.ha.bridge.Cluster;
import io.jenkins.plugins.ha.bridge.Event;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.history.FormHistory;
import io.jenkins.plugins.ha.life.Loop;
import io.jenkins.plugins.ha.life.Watchdog;
import io.jenkins.plugins.ha.people.LoginFilter;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import jenkins.model.Jenkins;

/**
 * Carries settings between the controllers, on one thread: what is saved here is stored in the
 * cluster, what is heard from there is put in force here, and both are compared when this
 * controller joins and each half a minute. Thread-safe.
 */
public final class Carrying {
    /**
     * Announcements of a setting that was stored; the subject is its path, the number its version.
     */
    public static final String TOPIC = "setting";

    private static final Logger LOGGER = Logger.getLogger(Carrying.class.getName());

    /** One click saves the same file more than once. */
    private static final long GATHER_MILLIS = 20;

    /** Nobody tells that a user was deleted; his folder is gone. */
    private static final long WATCH_MILLIS = 400;

    private static final long LOOK_MILLIS = 30_000;
    private static final long RETRY_MILLIS = 500;
    private static final Pattern PLUGIN = Pattern.compile("\\splugin=\"([^\"@]+)@[^\"]*\"");

    /** A setting that was saved here: who did, and the last of the others' versions he knew. */
    private record Saved(String author, long heardBefore) {}

    private static final long RESTORE_MILLIS = 20_000;

    /** A former form of a setting that somebody wants back. */
    private record Restoring(
            String path, String text, String author, String note, CompletableFuture<Void> done) {}

    private final Cluster cluster;
    private final Exchange exchange;
    private final DeletedFiles deleted;
    private final Loop loop;
    private final CountDownLatch looked = new CountDownLatch(1);

    /** Per path the newest version of another controller that is in force here. */
    private final Map<String, Long> inForce = new ConcurrentHashMap<>();

    private final Map<String, Saved> savedHere = new LinkedHashMap<>();
    private final Map<String, Long> heard = new LinkedHashMap<>();
    private final List<Restoring> wanted = new ArrayList<>();
    private boolean lookSoon = true;

    /** Of settings that were saved here: done are those that the cluster has. */
    private final Progress stored = new Progress();

    /** Of announcements: done are those that are in force here. */
    private final Progress followed = new Progress();

    private boolean stopped;
    private long lookAt;

    public Carrying(Cluster cluster, String name, ControllerIdentity identity, Watchdog watchdog) {
        Path home = Jenkins.get().getRootDir().toPath();
        this.cluster = cluster;
        this.exchange = new Exchange(cluster, name, identity, home, inForce);
        this.deleted = new DeletedFiles(home);
        this.loop = watchdog.loop("ha-jenkins-settings", this::round).minor();
    }

    /** Jenkins has booted: from now on settings are carried. */
    void start() {
        loop.start();
    }

    /** How this controller differs from a cluster that it was never in, a few words a setting. */
    List<String> differences() {
        return exchange.differences();
    }

    /** Waits until this controller has what the cluster has, at the most so long. */
    boolean awaitFirstLook(long millis) {
        try {
            return looked.await(millis, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    /** Carries no more; what is saved now is found at the next start. */
    public void stop() {
        synchronized (this) {
            stopped = true;
            notifyAll();
        }
        stored.end();
        followed.end();
        loop.await(2000);
    }

    /** The settings of this controller that nobody carries. */
    public UncarriedFiles uncarriedFiles() {
        return exchange.uncarriedFiles();
    }

    /** What an admin should know. */
    public Troubles troubles() {
        return exchange.troubles();
    }

    /** Another controller has stored a setting. Does not block. */
    public synchronized void announced(Event.Announcement announcement) {
        heard.merge(announcement.subject(), announcement.number(), Math::max);
        followed.came();
        notifyAll();
    }

    /** This controller is a member, again perhaps: what it has missed is looked for. */
    public synchronized void lookSoon() {
        lookSoon = true;
        notifyAll();
    }

    /** A file of this home was written by this Jenkins; whether it is carried. Does not block. */
    boolean saved(Path file) {
        String path = exchange.list().pathOf(file);
        if (path.isEmpty() || exchange.list().kindOf(path).isEmpty()) {
            return false;
        }
        saved(path, authorNow());
        return true;
    }

    /**
     * Waits until what has been announced so far is in force here, at the most so long; whether it
     * is.
     */
    public boolean awaitFollowed(long millis) throws InterruptedException {
        return followed.await(millis);
    }

    /**
     * Waits until the cluster has what was saved here before, at the most so long: what a user was
     * told is done must not be lost with this controller.
     */
    void awaitStored(long millis) throws InterruptedException {
        stored.await(millis);
    }

    private synchronized void saved(String path, String author) {
        stored.came();
        Saved before = savedHere.get(path);
        long knew = inForce.getOrDefault(path, 0L);
        savedHere.put(
                path,
                new Saved(author, before == null ? knew : Math.min(knew, before.heardBefore)));
        notifyAll();
    }

    /**
     * Puts a former form of a setting in force on all controllers, as the present user; waits for
     * it.
     *
     * @param note what the history says of it
     * @throws IOException when it cannot be put in force
     */
    public void restore(String path, String text, String note) throws IOException {
        Restoring one = new Restoring(path, text, authorNow(), note, new CompletableFuture<>());
        synchronized (this) {
            wanted.add(one);
            notifyAll();
        }
        try {
            one.done.get(RESTORE_MILLIS, TimeUnit.MILLISECONDS);
        } catch (ExecutionException e) {
            throw new IOException(e.getCause().getMessage(), e);
        } catch (TimeoutException e) {
            throw new IOException(path + " could not be restored yet; look at it later", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("Jenkins is being stopped", e);
        }
    }

    private void restoreWanted() {
        List<Restoring> all;
        synchronized (this) {
            all = List.copyOf(wanted);
            wanted.clear();
        }
        for (Restoring one : all) {
            try {
                FormHistory.noting(
                        one.note, () -> exchange.restore(one.path, one.text, one.author));
                one.done.complete(null);
            } catch (IOException | RuntimeException | LinkageError e) {
                one.done.completeExceptionally(e);
            }
        }
    }

    private static String authorNow() {
        User user = User.current();
        return user == null ? "" : user.getId();
    }

    private boolean round() throws InterruptedException {
        Work work = next();
        if (work == null) {
            return false;
        }
        try {
            work.run();
        } catch (HaException.Unavailable | HaException.Refused | HaException.Fenced e) {
            LOGGER.log(Level.FINE, "Settings wait for Redis: {0}", e.getMessage());
            lookSoon(); // finds whatever was not done
            cluster.awaitJoined(RETRY_MILLIS);
            Thread.sleep(RETRY_MILLIS);
        } finally {
            exchange.remember();
        }
        return true;
    }

    private interface Work {
        void run();
    }

    private Work next() throws InterruptedException {
        synchronized (this) {
            if (!stopped
                    && !lookSoon
                    && heard.isEmpty()
                    && savedHere.isEmpty()
                    && wanted.isEmpty()) {
                wait(WATCH_MILLIS);
            }
            if (stopped) {
                return null;
            }
        }
        long now = System.nanoTime();
        if (now - lookAt > TimeUnit.MILLISECONDS.toNanos(LOOK_MILLIS)) {
            lookSoon();
        }
        synchronized (this) {
            if (lookSoon) {
                lookSoon = false;
                lookAt = now;
                return this::look;
            }
        }
        return this::follow;
    }

    private void look() {
        boolean first = looked.getCount() > 0;
        long saved = stored.count();
        // What was saved while Jenkins booted is not told before the cluster's is known.
        exchange.look(first ? () -> {} : this::follow);
        stored.done(saved);
        if (first) {
            deleted.begin();
            looked.countDown();
        }
    }

    /** Does what has come up, the others' news first. */
    private void follow() {
        LoginFilter.ensureInPlace();
        Map<String, Long> news;
        Map<String, Saved> own;
        long announced;
        synchronized (this) {
            news = new HashMap<>(heard);
            heard.clear();
            announced = followed.count();
        }
        news.forEach(exchange::heard);
        followed.done(announced);
        restoreWanted();
        for (String path : deleted.since(exchange.deletable())) {
            saved(path, "");
        }
        synchronized (this) {
            if (savedHere.isEmpty()) {
                return;
            }
        }
        gather();
        long count;
        synchronized (this) {
            own = new LinkedHashMap<>(savedHere);
            savedHere.clear();
            count = stored.count();
        }
        own.forEach((path, saved) -> exchange.saved(path, saved.author, saved.heardBefore));
        stored.done(count);
    }

    private static void gather() {
        try {
            Thread.sleep(GATHER_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** The plugin that a text is of and that is not active here; "" when all are. */
    static String missingPlugin(String text) {
        Matcher named = PLUGIN.matcher(text);
        while (named.find()) {
            PluginWrapper plugin = Jenkins.get().getPluginManager().getPlugin(named.group(1));
            if (plugin == null || !plugin.isActive()) {
                return named.group(1);
            }
        }
        return "";
    }
}
