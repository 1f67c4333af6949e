package io.jenkins.plugins.ha.carried;

import io.jenkins.plugins.ha.ControllerIdentity;
import io.jenkins.plugins.ha.bridge.Cluster;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.bridge.KeptSetting;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * Settles for each setting what holds: the cluster's, in the order in which Redis took them. What
 * this controller has otherwise is kept aside. One thread.
 */
final class Exchange {
    private static final Logger LOGGER = Logger.getLogger(Exchange.class.getName());

    private final Cluster cluster;
    private final ControllerIdentity identity;
    private final Path home;
    private final CarriedList list;
    private final Digest digest;
    private final KnownVersions known;
    private final KeptAside aside;
    private final Troubles troubles = new Troubles();
    private final SettingHistory history = new SettingHistory();
    private final Map<String, Long> inForce;

    /** The versions that this controller cannot read. */
    private final Map<String, Long> unreadable = new HashMap<>();

    /**
     * Whether the first comparison of a controller that has just come to the cluster is under way.
     */
    private boolean joining;

    /** Whether all have been compared since this controller was started. */
    private boolean looked;

    Exchange(
            Cluster cluster,
            String name,
            ControllerIdentity identity,
            Path home,
            Map<String, Long> inForce) {
        this.cluster = cluster;
        this.identity = identity;
        this.home = home;
        this.list = new CarriedList(home);
        this.digest = new Digest(name);
        this.known = new KnownVersions(home.resolve("ha-jenkins/settings"));
        this.aside = new KeptAside(home.resolve("ha-jenkins/settings-kept"));
        this.joining = known.first();
        this.inForce = inForce;
    }

    CarriedList list() {
        return list;
    }

    UncarriedFiles uncarriedFiles() {
        return new UncarriedFiles(list, digest);
    }

    Troubles troubles() {
        return troubles;
    }

    /** Writes down which versions are in force. */
    void remember() {
        known.save();
    }

    /** What is gone from the cluster when its file is gone here, and is not gone. */
    List<String> deletable() {
        return known.paths().stream()
                .filter(path -> !known.get(path).deleted())
                .filter(path -> list.kindOf(path).map(Kind::deletable).orElse(false))
                .toList();
    }

    /**
     * How this controller differs from the cluster, when it was never in it: a few words for each
     * setting; empty when it does not or was. Changes nothing.
     */
    List<String> differences() {
        List<String> found = new ArrayList<>();
        Map<String, KeptSetting> kept = new TreeMap<>();
        if (joining) {
            cluster.settings().forEach(one -> kept.put(one.path(), one));
        }
        for (KeptSetting one : kept.values()) {
            one(
                    one.path(),
                    () -> {
                        Kind kind = list.kindOf(one.path()).orElse(null);
                        String text = text(one.path());
                        if (kind != null && text == null && !one.deleted()) {
                            found.add(one.path() + " is missing here");
                        } else if (kind != null
                                && text != null
                                && (one.deleted() || !digestOf(kind, text).equals(one.digest()))) {
                            found.add(one.path() + " is another one");
                        }
                    });
        }
        for (String path : kept.isEmpty() ? Set.<String>of() : present()) {
            Kind kind = list.kindOf(path).orElse(null);
            if (!kept.containsKey(path)
                    && kind != null
                    && kind.deletable()
                    && kind.carries(home.resolve(path), path)) {
                found.add(path + " is missing there");
            }
        }
        return found;
    }

    /**
     * Compares all, both ways.
     *
     * @param between does what has come up meanwhile, after each setting
     */
    void look(Runnable between) {
        Map<String, KeptSetting> kept = new HashMap<>();
        cluster.settings().forEach(one -> kept.put(one.path(), one));
        boolean newcomer = joining && !kept.isEmpty();
        if (newcomer) {
            aside.begin();
        }
        try {
            for (KeptSetting one : kept.values()) {
                if (list.kindOf(one.path()).isPresent()) {
                    one(one.path(), () -> compare(one));
                    between.run();
                }
            }
            Set<String> here = new HashSet<>(present());
            here.addAll(known.paths());
            here.removeAll(kept.keySet());
            for (String path : here) {
                one(path, () -> onlyHere(path, newcomer));
                between.run();
            }
        } finally {
            aside.end();
        }
        history.begin();
        for (String path : kept.keySet()) {
            if (history.wants(path)) {
                one(path, () -> present(path));
            }
        }
        joining = false;
        looked = true;
        known.put(".", KnownVersions.NONE); // even a controller without settings has joined now
    }

    private void present(String path) throws IOException {
        Kind kind = list.kindOf(path).orElse(null);
        String text = text(path);
        KnownVersions.Known mine = known.get(path);
        if (kind != null && text != null && digestOf(kind, text).equals(mine.digest())) {
            history.present(path, shared(kind, text));
        }
    }

    private Set<String> present() {
        try {
            return list.present();
        } catch (IOException e) {
            LOGGER.log(Level.WARNING, "The settings of this controller cannot be listed", e);
            return Set.of();
        }
    }

    private void compare(KeptSetting kept) throws IOException {
        String path = kept.path();
        KnownVersions.Known mine = known.get(path);
        boolean missing = !kept.deleted() && !Files.exists(home.resolve(path));
        if (missing && !looked) { // a home without its users is no decision to delete them
            apply(fetch(path).orElseThrow());
        } else if (kept.version() > mine.version()) {
            fetchAndApply(path);
        } else if (kept.version() < mine.version()) {
            store(path, kept.version(), mine.version(), "", mine.deleted() ? null : text(path));
        } else if (!kept.digest().equals(mine.digest()) || kept.deleted() != mine.deleted()) {
            apply(fetch(path).orElseThrow());
        } else if (!Folders.stamp(home.resolve(path)).equals(mine.stamp())) {
            saved(path, "", inForce.getOrDefault(path, 0L));
        }
    }

    private void onlyHere(String path, boolean newcomer) throws IOException {
        Kind kind = list.kindOf(path).orElse(null);
        KnownVersions.Known mine = known.get(path);
        if (kind == null || mine.version() == 0 && !kind.carries(home.resolve(path), path)) {
            return;
        }
        String text = text(path);
        if (mine.version() > 0) { // Redis has lost it
            store(path, 0, mine.version(), "", mine.deleted() ? null : text);
        } else if (text != null && newcomer && kind.deletable()) {
            aside.keep(path, text);
            kind.remove(path, text);
            LOGGER.info(
                    () ->
                            "The cluster does not have "
                                    + path
                                    + ": it was moved to "
                                    + home.resolve("ha-jenkins/settings-kept"));
        } else if (text != null) {
            saved(path, "", inForce.getOrDefault(path, 0L));
        }
    }

    /** Another controller has stored this version. */
    void heard(String path, long version) {
        if (list.kindOf(path).isPresent() && version > known.get(path).version()) {
            one(path, () -> fetchAndApply(path));
        }
    }

    /**
     * This controller has written, or deleted, the file.
     *
     * @param heardBefore the newest of the others' versions that was in force when it did
     */
    void saved(String path, String author, long heardBefore) {
        one(path, () -> tell(path, author, heardBefore));
    }

    private void tell(String path, String author, long heardBefore) throws IOException {
        Kind kind = list.kindOf(path).orElse(null);
        String text = text(path);
        KnownVersions.Known mine = known.get(path);
        if (kind == null
                || text == null
                        && (!kind.deletable()
                                || mine.deleted()
                                || mine == KnownVersions.NONE
                                || !kind.isGone(path))
                || text != null && !kind.carries(home.resolve(path), path)) {
            return;
        }
        if (text != null) {
            kind.savedHere(path, text);
        }
        String stamp = Folders.stamp(home.resolve(path));
        String now = text == null ? "-" : digestOf(kind, text);
        if (text != null && !mine.deleted() && now.equals(mine.digest())) {
            known.put(path, new KnownVersions.Known(mine.version(), false, now, stamp));
            return;
        }
        if (text == null) {
            delete(path, mine.version(), author);
        } else if (unreadable.containsKey(path)) {
            lost(path, author, text);
        } else if (inForce.getOrDefault(path, 0L) > heardBefore) {
            lost(path, author, text);
        } else {
            store(path, mine.version(), mine.version() + 1, author, text);
        }
    }

    /** Stores it, or takes what another controller stored meanwhile. */
    private void store(String path, long base, long version, String author, String text)
            throws IOException {
        Kind kind = list.kindOf(path).orElseThrow();
        String stamp = Folders.stamp(home.resolve(path));
        String made = text == null ? "-" : digestOf(kind, text);
        byte[] bytes = text == null ? null : shared(kind, text).getBytes(StandardCharsets.UTF_8);
        long answer = cluster.storeSetting(path, base, version, made, author, bytes);
        if (answer <= 0 && -answer < base) { // Redis has lost what this one was made from
            answer = cluster.storeSetting(path, -answer, version, made, author, bytes);
        }
        if (answer == version) {
            known.put(path, new KnownVersions.Known(version, text == null, made, stamp));
            if (text != null) {
                history.stored(path, author, shared(kind, text));
            }
            troubles.over(path);
        } else {
            lost(path, author, text);
        }
    }

    /** What is deleted is deleted, whatever others have changed of it meanwhile. */
    private void delete(String path, long base, String author) throws IOException {
        long from = base;
        for (int tries = 0; tries < 5; tries++) {
            long answer = cluster.storeSetting(path, from, from + 1, "-", author, null);
            if (answer == from + 1) {
                known.put(path, new KnownVersions.Known(answer, true, "-", ""));
                troubles.over(path);
                return;
            }
            from = -answer;
        }
        throw new IOException("it is changed again and again while it is deleted");
    }

    /** Another controller's change was first: it holds, this one is kept aside. */
    private void lost(String path, String author, String text) throws IOException {
        KeptSetting kept = fetch(path).orElse(null);
        if (kept == null) {
            return;
        }
        Kind kind = list.kindOf(path).orElseThrow();
        if (digestOf(kind, text).equals(kept.digest())) {
            note(kept);
            return;
        }
        String where = aside.keep(path, text).toString();
        if (!joining) {
            history.lost(path, author, shared(kind, text));
            trouble(
                    path,
                    (author.isEmpty() ? "" : author + ": ")
                            + "what was saved here was not taken, for it was made from an older"
                            + " form than "
                            + by(kept)
                            + ". It is kept as "
                            + where
                            + ".");
        }
        apply(kept);
    }

    private String by(KeptSetting kept) {
        return "that of "
                + (kept.author().isEmpty() ? "" : kept.author() + " on ")
                + "the controller "
                + kept.controllerId();
    }

    private void fetchAndApply(String path) throws IOException {
        KeptSetting kept = fetch(path).orElse(null);
        if (kept == null || kept.version() <= known.get(path).version()) {
            return;
        }
        Kind kind = list.kindOf(path).orElseThrow();
        String text = text(path);
        KnownVersions.Known mine = known.get(path);
        if (text == null
                && looked
                && kind.deletable()
                && kind.isGone(path)
                && mine.version() > 0
                && !mine.deleted()) {
            delete(path, kept.version(), "");
            return;
        }
        boolean changedHere =
                text != null
                        && !digestOf(kind, text).equals(mine.digest())
                        && !digestOf(kind, text).equals(kept.digest());
        if (changedHere && !unreadable.containsKey(path)) {
            lost(path, "", text);
        } else {
            apply(kept);
        }
    }

    /** Puts it in force here, whatever is here. */
    private void apply(KeptSetting kept) throws IOException {
        String path = kept.path();
        Kind kind = list.kindOf(path).orElseThrow();
        Path file = home.resolve(path);
        String own = text(path);
        try {
            if (kept.deleted()) {
                if (own != null) {
                    kind.remove(path, own);
                }
            } else if (own == null || !digestOf(kind, own).equals(kept.digest())) {
                String shared = new String(kept.text(), StandardCharsets.UTF_8);
                replace(path, kind, file, own, shared);
            }
            note(kept);
        } catch (IOException | RuntimeException | LinkageError e) {
            if (e instanceof HaException away) {
                throw away;
            }
            cannotRead(kept, e);
        }
    }

    /**
     * A former form is in force again, here and, once it is stored, on all.
     *
     * @throws IOException with what is wrong with it; what was stays
     */
    void restore(String path, String shared, String author) throws IOException {
        Kind kind =
                list.kindOf(path)
                        .orElseThrow(() -> new IOException(path + " is not carried any more"));
        replace(path, kind, home.resolve(path), text(path), shared);
        tell(path, author, inForce.getOrDefault(path, 0L));
    }

    private void replace(String path, Kind kind, Path file, String own, String shared)
            throws IOException {
        String plugin = Carrying.missingPlugin(shared);
        if (!plugin.isEmpty()) {
            throw new IOException("the plugin " + plugin + " is missing or not active");
        }
        String whole =
                kind.own().isEmpty() || own == null
                        ? shared
                        : XmlParts.of(shared).with(kind.own(), XmlParts.of(own));
        boolean newFolder = !Files.exists(file.getParent());
        Path draft = Folders.draft(file, whole);
        try {
            kind.check(draft, path);
            Files.move(draft, file, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException | RuntimeException | LinkageError e) {
            Files.deleteIfExists(draft);
            if (newFolder) {
                Folders.delete(file.getParent());
            }
            throw e;
        }
        try {
            kind.inForce(path, own == null ? "" : own, whole);
        } catch (IOException | RuntimeException | LinkageError e) {
            if (own != null) {
                Folders.write(file, own);
            }
            throw e;
        }
    }

    private void note(KeptSetting kept) {
        String path = kept.path();
        known.put(
                path,
                new KnownVersions.Known(
                        kept.version(),
                        kept.deleted(),
                        kept.digest(),
                        Folders.stamp(home.resolve(path))));
        if (!kept.deleted() && kept.text() != null) {
            history.present(path, new String(kept.text(), StandardCharsets.UTF_8));
        }
        inForce.put(path, kept.version());
        if (unreadable.remove(path) != null) {
            troubles.over(path);
        }
    }

    private void cannotRead(KeptSetting kept, Throwable e) throws IOException {
        String path = kept.path();
        if (!Long.valueOf(kept.version()).equals(unreadable.put(path, kept.version()))) {
            LOGGER.log(Level.FINE, "Cannot be read: " + path, e);
        }
        trouble(
                path,
                "This controller cannot put "
                        + by(kept)
                        + " in force and goes on with what it had: "
                        + e.getMessage()
                        + ". Until it can, what is saved here is not taken.");
    }

    private Optional<KeptSetting> fetch(String path) {
        return cluster.setting(path);
    }

    private String text(String path) throws IOException {
        return Folders.read(home.resolve(path));
    }

    private String digestOf(Kind kind, String text) {
        return digest.of(shared(kind, text));
    }

    private static String shared(Kind kind, String text) {
        return kind.own().isEmpty() ? text : XmlParts.of(text).without(kind.own());
    }

    private interface Step {
        void go() throws IOException;
    }

    /** What goes wrong with one setting keeps no other. */
    private void one(String path, Step step) {
        try {
            step.go();
        } catch (HaException.Unavailable | HaException.Refused | HaException.Fenced e) {
            throw e;
        } catch (HaException.Closed e) {
            throw e;
        } catch (IOException | RuntimeException e) {
            LOGGER.log(Level.FINE, "Not carried: " + path, e);
            trouble(path, "It is not carried: " + e.getMessage());
        }
    }

    private void trouble(String path, String text) {
        if (troubles.tell(path, text, System.currentTimeMillis())) {
            LOGGER.warning(() -> identity.name() + ": the setting " + path + ": " + text);
        }
    }
}
