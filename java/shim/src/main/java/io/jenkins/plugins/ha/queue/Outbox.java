package io.jenkins.plugins.ha.queue;

import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.bridge.Cluster;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.bridge.NewItem;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;
import jenkins.model.Jenkins;
import jenkins.util.Timer;

/**
 * Builds that were accepted while Redis was away: a file each in this controller's home, synced to
 * disk with its folder before the caller hears of it, and told to the cluster as soon as Redis is
 * back, also after a restart. An id is stored only once however often it is told.
 */
final class Outbox {
    private static final Logger LOGGER = Logger.getLogger(Outbox.class.getName());
    private static final int FORMAT = 1;
    private static final long LATER_MILLIS = 1000;

    private final Membership membership;
    private final Path folder;

    private Outbox(Membership membership, Path folder) {
        this.membership = membership;
        this.folder = folder;
    }

    /** Opens this controller's outbox and tells what a former run left in it. */
    static Outbox of(Membership membership) {
        Outbox outbox =
                new Outbox(
                        membership,
                        Jenkins.get().getRootDir().toPath().resolve("ha-jenkins/outbox"));
        outbox.tellAll();
        return outbox;
    }

    /** Keeps it until the cluster has it. */
    void keep(NewItem item) {
        Path file = folder.resolve(item.id() + ".item");
        try {
            if (!Files.isDirectory(folder)) {
                Files.createDirectories(folder);
                sync(folder.getParent()); // a power cut must not take the folder itself
                sync(folder.getParent().getParent());
            }
            Path temporary = folder.resolve(item.id() + ".new");
            try (FileChannel channel =
                    FileChannel.open(
                            temporary,
                            StandardOpenOption.CREATE,
                            StandardOpenOption.TRUNCATE_EXISTING,
                            StandardOpenOption.WRITE)) {
                DataOutputStream out = new DataOutputStream(Channels.newOutputStream(channel));
                out.writeInt(FORMAT);
                out.writeLong(item.id());
                out.writeUTF(item.job());
                out.writeUTF(item.lane());
                out.writeInt(item.priority());
                out.writeLong(item.quietMillis());
                out.writeBoolean(item.concurrent());
                out.writeInt(item.payload().length);
                out.write(item.payload());
                out.flush();
                channel.force(true);
            }
            Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
            sync(folder);
        } catch (IOException e) {
            LOGGER.log(
                    Level.SEVERE,
                    "Queue item "
                            + item.id()
                            + " of "
                            + item.job()
                            + " is only in memory until Redis is back: "
                            + folder
                            + " cannot be written",
                    e);
        }
        tell(item, file);
    }

    /** What a file is called is in its folder: a power cut may lose it until that is on disk. */
    private static void sync(Path folder) throws IOException {
        try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }

    private void tell(NewItem item, Path file) {
        membership
                .outbound()
                .tell(
                        "queue item " + item.id() + " of " + item.job(),
                        cluster -> {
                            try {
                                enqueue(cluster, item, file);
                            } catch (HaException.Unavailable e) {
                                if (!membership.link().joined()) {
                                    throw e;
                                }
                                // its memory is full, say: the ends of builds, which make room, go
                                // first
                                Timer.get()
                                        .schedule(
                                                () -> tell(item, file),
                                                LATER_MILLIS,
                                                TimeUnit.MILLISECONDS);
                                return;
                            }
                            try {
                                Files.deleteIfExists(file);
                                sync(folder);
                            } catch (IOException e) {
                                LOGGER.log(
                                        Level.WARNING,
                                        file
                                                + " was told to the cluster but cannot be deleted;"
                                                + " it will be told again, to no effect",
                                        e);
                            }
                        });
    }

    /**
     * Stores it, for good: what the cluster refuses for its id gets another one, and what it does
     * not take at all is put aside for an admin instead of being told for ever.
     */
    private void enqueue(Cluster cluster, NewItem item, Path file) {
        try {
            cluster.enqueue(item, -1);
        } catch (HaException.Conflict e) { // ids were made up while Redis was away
            long id = cluster.nextQueueId();
            LOGGER.warning(
                    () ->
                            "Queue item "
                                    + item.id()
                                    + " of "
                                    + item.job()
                                    + ", accepted while Redis was away, becomes "
                                    + id
                                    + ": "
                                    + e.getMessage());
            membership.view().withdrawn(item.id());
            keepAs(item, id);
        } catch (HaException.Invalid e) {
            LOGGER.log(
                    Level.SEVERE,
                    "Queue item "
                            + item.id()
                            + " of "
                            + item.job()
                            + " was accepted while Redis was away, but the cluster does not take"
                            + " it: trigger it again. What it was is put aside in "
                            + folder,
                    e);
            putAside(file);
        }
    }

    /** Journalled under its new id before the old entry goes, so that no power cut loses it. */
    private void keepAs(NewItem item, long id) {
        byte[] payload;
        try {
            payload = RerunItem.renamed(item.payload(), item.job(), id, membership.identity());
        } catch (RerunItem.Impossible e) {
            LOGGER.log(Level.FINE, "It keeps the old id in its own words", e);
            payload = item.payload();
        }
        keep(
                new NewItem(
                        id,
                        item.job(),
                        item.lane(),
                        item.priority(),
                        item.quietMillis(),
                        item.concurrent(),
                        item.pinned(),
                        payload));
    }

    private void putAside(Path file) {
        try {
            Files.move(
                    file,
                    folder.resolve(file.getFileName() + ".refused"),
                    StandardCopyOption.REPLACE_EXISTING);
            sync(folder);
        } catch (IOException e) {
            LOGGER.log(Level.WARNING, file + " cannot be put aside; it is told again", e);
        }
    }

    private void tellAll() {
        if (!Files.isDirectory(folder)) {
            return;
        }
        List<Path> files = new ArrayList<>();
        try (DirectoryStream<Path> found = Files.newDirectoryStream(folder, "*.item")) {
            found.forEach(files::add);
        } catch (IOException e) {
            LOGGER.log(Level.SEVERE, "Builds that wait in " + folder + " cannot be read", e);
        }
        files.sort(
                Comparator.comparing(
                        path -> path.getFileName().toString(),
                        Comparator.comparingInt(String::length)
                                .thenComparing(Comparator.naturalOrder())));
        for (Path file : files) {
            try (DataInputStream in = new DataInputStream(Files.newInputStream(file))) {
                if (in.readInt() != FORMAT) {
                    throw new IOException("it was written by a newer version of HA Jenkins");
                }
                tell(
                        new NewItem(
                                in.readLong(),
                                in.readUTF(),
                                in.readUTF(),
                                in.readInt(),
                                in.readLong(),
                                in.readBoolean(),
                                "",
                                in.readNBytes(in.readInt())),
                        file);
            } catch (IOException e) {
                LOGGER.log(
                        Level.SEVERE,
                        "A build accepted while Redis was away cannot be read and is left where it"
                                + " is: "
                                + file,
                        e);
            }
        }
    }
}
