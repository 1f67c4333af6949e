package io.jenkins.plugins.ha.stage;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;

/**
 * A cluster on this machine: a Redis, a database where wanted, a folder its controllers share, and
 * the controllers. Closing it stops every process and removes the temp folder; the logs stay in
 * {@code target/stage-logs/<name>}. One thread at a time.
 */
public final class Stage implements AutoCloseable {
    /** Time for one controller to come up on a slow or busy machine. */
    public static final Duration UP = Duration.ofMinutes(3);

    private final String name;
    private final Path root;
    private final boolean temporary;
    private final SharedFolder shared;
    private final RedisServer redis;
    private final PostgresServer postgres;
    private final List<Controller> controllers = new ArrayList<>();
    private final Runnable closer = this::close;
    private boolean closed;

    private Stage(String name, Path root, boolean temporary) {
        this.name = name;
        this.root = root;
        this.temporary = temporary;
        this.shared = new SharedFolder(root.resolve("shared"));
        this.redis = new RedisServer(root.resolve("redis"));
        this.postgres = new PostgresServer(root.resolve("postgres"));
        ServerProcess.beforeKill(closer);
    }

    /** A stage in a fresh temp folder; nothing is started yet. */
    public static Stage open(String name) {
        try {
            return new Stage(name, Files.createTempDirectory("ha-jenkins-" + name + "-"), true);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A stage in a folder that stays, and is taken up again if it is there. */
    public static Stage at(Path root) {
        return new Stage(root.getFileName().toString(), root.toAbsolutePath(), false);
    }

    /** Everything of this stage is below it. */
    public Path root() {
        return root;
    }

    /** The cluster's name. */
    public String cluster() {
        return name;
    }

    /** Its Redis, to configure and to start. */
    public RedisServer redis() {
        return redis;
    }

    /** Its database, for build records; to start before a controller is told of it. */
    public PostgresServer postgres() {
        return postgres;
    }

    /** What the controllers share. */
    public SharedFolder shared() {
        return shared;
    }

    /** All controllers, in the order in which they were added. */
    public List<Controller> controllers() {
        return Collections.unmodifiableList(controllers);
    }

    /** Adds a real Jenkins, set to join the cluster; not started. */
    public JenkinsController addJenkins(JenkinsWar war, String controller) {
        JenkinsController added =
                new JenkinsController(war, controller, root.resolve(controller), shared);
        added.cluster(name, redis.url());
        controllers.add(added);
        return added;
    }

    /** Adds a stand-in, set to join the cluster; not started. */
    public StandinController addStandin(String controller) {
        StandinController added =
                new StandinController(
                        controller, root.resolve(controller), shared, name, redis.url());
        controllers.add(added);
        return added;
    }

    /**
     * Starts all controllers that do not run and waits until they serve pages. The very first goes
     * alone: it makes the secrets that all must agree on.
     */
    public void startControllers() {
        List<Controller> waiting = new ArrayList<>();
        for (Controller controller : controllers) {
            if (!controller.alive()) {
                controller.start();
                if (controller instanceof JenkinsController && !shared.seasoned()) {
                    controller.awaitUp(UP);
                } else {
                    waiting.add(controller);
                }
            }
        }
        waiting.forEach(controller -> controller.awaitUp(UP));
    }

    /**
     * Waits until this many controllers are members of the cluster: one that serves pages may still
     * be joining.
     *
     * @throws AssertionError when they are not within the time
     */
    public void awaitMembers(int count, Duration within) {
        Eventually.until(
                count + " controllers are members",
                within,
                () ->
                        Long.valueOf(count)
                                .equals(redis.call("ZCARD", "{haj:" + name + "}:members")));
    }

    /** Stops everything, keeps the logs, removes the temp folder. May be called twice. */
    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        List<Thread> stopping =
                controllers.stream().map(c -> new Thread(c::stop, "stop " + c.name())).toList();
        stopping.forEach(Thread::start);
        for (Thread thread : stopping) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
        redis.stop();
        postgres.stop();
        if (temporary) {
            try {
                keepLogs();
                delete(root);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        // Only now: the end of this JVM waits for a close that is under way.
        ServerProcess.forget(closer);
    }

    private void keepLogs() throws IOException {
        Path logs = Files.createDirectories(Checkout.target().resolve("stage-logs").resolve(name));
        List<Path> files = new ArrayList<>(controllers.stream().map(Controller::log).toList());
        files.add(redis.log());
        files.add(postgres.log());
        for (Path file : files) {
            if (Files.exists(file)) {
                Files.copy(
                        file,
                        logs.resolve(file.getFileName()),
                        StandardCopyOption.REPLACE_EXISTING);
            }
        }
    }

    /** Does not follow links: what they point to may be somebody else's. */
    private static void delete(Path folder) throws IOException {
        Files.walkFileTree(
                folder,
                new SimpleFileVisitor<>() {
                    @Override
                    public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
                            throws IOException {
                        Files.delete(file);
                        return FileVisitResult.CONTINUE;
                    }

                    @Override
                    public FileVisitResult postVisitDirectory(Path directory, IOException failure)
                            throws IOException {
                        try (Stream<Path> left = Files.list(directory)) {
                            // A build that outlives its controller may still have written.
                            for (Path file : left.filter(Files::isRegularFile).toList()) {
                                Files.delete(file);
                            }
                        }
                        Files.delete(directory);
                        return FileVisitResult.CONTINUE;
                    }
                });
    }
}
