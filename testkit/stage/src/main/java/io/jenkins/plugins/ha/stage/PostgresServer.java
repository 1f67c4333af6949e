package io.jenkins.plugins.ha.stage;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.GroupPrincipal;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.UserPrincipal;
import java.nio.file.attribute.UserPrincipalLookupService;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * A real PostgreSQL on 127.0.0.1, Debian's package, with one database. It refuses to run as root:
 * where we are root it runs as the user {@code postgres}. What it acknowledged survives {@link
 * #kill9()}, not a power cut, which nobody makes here. Configure, then {@link #start()}. Not
 * thread-safe.
 */
public final class PostgresServer implements AutoCloseable {
    private static final String USER = "jenkins";
    private static final String PASSWORD = "stage-Pa55word";
    private static final String UNPRIVILEGED = "postgres";
    private static final Duration START = Duration.ofSeconds(60);
    private static final Duration STOP = Duration.ofSeconds(10);

    private final Path folder;
    private int port = FreePort.next();
    private ServerProcess process;

    /** A server that keeps its data and its log in {@code folder}. */
    public PostgresServer(Path folder) {
        this.folder = folder;
    }

    /** Listens here instead of on a free port. */
    public PostgresServer port(int port) {
        this.port = port;
        return this;
    }

    /** Starts it, on the data that is there, and returns once it answers. */
    public PostgresServer start() {
        if (!Files.exists(data().resolve("PG_VERSION"))) {
            create();
        }
        List<String> command = unprivileged(program("postgres"));
        command.addAll(List.of("-D", data().toString(), "-p", Integer.toString(port)));
        for (String setting :
                List.of(
                        "listen_addresses=127.0.0.1",
                        "unix_socket_directories=",
                        "fsync=off",
                        "shared_buffers=32MB",
                        "max_connections=60")) {
            command.addAll(List.of("-c", setting));
        }
        process = ServerProcess.start("postgres", command, Map.of(), folder, log());
        Eventually.until("PostgreSQL answers, see " + log(), START, this::answers);
        return this;
    }

    public int port() {
        return port;
    }

    /** {@code postgresql://user@127.0.0.1:port/database}; the password goes beside it. */
    public String url() {
        return url(port);
    }

    /** The same over another port, as of a {@link FaultyLine}. */
    public String url(int port) {
        return "postgresql://" + USER + "@127.0.0.1:" + port + "/" + USER;
    }

    public String password() {
        return PASSWORD;
    }

    /** Whether it was started and has not ended since. */
    public boolean alive() {
        return process != null && process.alive();
    }

    public Path log() {
        return folder.resolve("postgres.log");
    }

    /** What SQL answers, a row each line, columns with {@code |} between. */
    public List<String> rows(String sql) {
        return query(USER, sql).lines().toList();
    }

    /** Ends it as an admin would: connections end, what was under way is undone. */
    public void stop() {
        if (alive()) {
            resume();
            process.signal("INT");
            if (!process.awaitExit(STOP)) {
                kill9();
            }
        }
    }

    /** SIGKILL for it and for all that it started, at once, as when its host dies. */
    public void kill9() {
        // Stopped, it starts no more.
        process.pause();
        List<ProcessHandle> started = started();
        process.kill9();
        started.forEach(ProcessHandle::destroyForcibly);
        CompletableFuture.allOf(
                        started.stream()
                                .map(ProcessHandle::onExit)
                                .toArray(CompletableFuture[]::new))
                .orTimeout(STOP.toSeconds(), TimeUnit.SECONDS)
                .join();
        try {
            // Its pid may be somebody else's by now, and it would not start.
            Files.deleteIfExists(data().resolve("postmaster.pid"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Ends it if it still runs, and starts it on the same data and port. */
    public void restart() {
        stop();
        start();
    }

    /** SIGSTOP for all of it: connections stay open, nobody answers. */
    public void pause() {
        process.pause();
        started().forEach(child -> ServerProcess.signal(child.pid(), "STOP"));
    }

    /** SIGCONT. */
    public void resume() {
        started().forEach(child -> ServerProcess.signal(child.pid(), "CONT"));
        process.resume();
    }

    @Override
    public void close() {
        stop();
    }

    private List<ProcessHandle> started() {
        return ProcessHandle.of(process.pid()).map(p -> p.descendants().toList()).orElse(List.of());
    }

    private Path data() {
        return folder.resolve("data");
    }

    private void create() {
        try {
            Files.createDirectories(folder);
            Path password = folder.resolve("password");
            Files.writeString(password, PASSWORD);
            if (root()) {
                give(folder);
                give(password);
                // Temporary folders are closed to others; it must get through to its own.
                Set<PosixFilePermission> parent = Files.getPosixFilePermissions(folder.getParent());
                if (parent.add(PosixFilePermission.OTHERS_EXECUTE)) {
                    Files.setPosixFilePermissions(folder.getParent(), parent);
                }
            }
            run(initdb(password), Map.of());
            Files.delete(password);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private List<String> initdb(Path password) {
        List<String> command = unprivileged(program("initdb"));
        command.addAll(List.of("-U", USER, "-A", "scram-sha-256", "--pwfile=" + password));
        command.addAll(List.of("-E", "UTF8", "--locale=C", "--no-sync", "-D", data().toString()));
        return command;
    }

    private boolean answers() {
        if (!process.alive()) {
            throw new IllegalStateException("PostgreSQL did not start:\n" + process.output());
        }
        try {
            String database = "SELECT 1 FROM pg_database WHERE datname = '" + USER + "'";
            if (query("postgres", database).isEmpty()) {
                query("postgres", "CREATE DATABASE " + USER);
            }
            return true;
        } catch (IllegalStateException notYet) {
            return false;
        }
    }

    private String query(String database, String sql) {
        List<String> command = new ArrayList<>(List.of(program("psql").toString()));
        command.addAll(List.of("-h", "127.0.0.1", "-p", Integer.toString(port), "-U", USER));
        command.addAll(List.of("-d", database, "-X", "-A", "-t", "-w", "-v", "ON_ERROR_STOP=1"));
        command.addAll(List.of("-c", sql));
        return run(command, Map.of("PGPASSWORD", PASSWORD, "PGCONNECT_TIMEOUT", "5"));
    }

    /** What it writes; throws with that when it fails. */
    private String run(List<String> command, Map<String, String> environment) {
        try {
            ProcessBuilder builder = new ProcessBuilder(command).directory(folder.toFile());
            builder.environment().putAll(environment);
            Process program = builder.redirectErrorStream(true).start();
            program.getOutputStream().close();
            String said =
                    new String(program.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (program.waitFor() != 0) {
                throw new IllegalStateException(command.get(0) + " failed:\n" + said);
            }
            return said;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }

    private static boolean root() {
        return "root".equals(System.getProperty("user.name"));
    }

    /** That program as somebody PostgreSQL accepts, in the same process. */
    private static List<String> unprivileged(Path program) {
        List<String> command = new ArrayList<>();
        if (root()) {
            command.addAll(List.of("setpriv", "--reuid", UNPRIVILEGED, "--regid", UNPRIVILEGED));
            command.add("--clear-groups");
        }
        command.add(program.toString());
        return command;
    }

    private static void give(Path path) throws IOException {
        UserPrincipalLookupService users = path.getFileSystem().getUserPrincipalLookupService();
        UserPrincipal user = users.lookupPrincipalByName(UNPRIVILEGED);
        GroupPrincipal group = users.lookupPrincipalByGroupName(UNPRIVILEGED);
        PosixFileAttributeView view =
                Files.getFileAttributeView(path, PosixFileAttributeView.class);
        view.setOwner(user);
        view.setGroup(group);
    }

    /** Where it is, the newest version of several; throws with the command that installs it. */
    private static Path program(String name) {
        Path versions = Path.of("/usr/lib/postgresql");
        try (Stream<Path> installed =
                Files.isDirectory(versions) ? Files.list(versions) : Stream.empty()) {
            return Stream.concat(
                            installed
                                    .sorted(
                                            Comparator.comparingInt(PostgresServer::version)
                                                    .reversed())
                                    .map(version -> version.resolve("bin")),
                            Stream.of(System.getenv().getOrDefault("PATH", "").split(":"))
                                    .filter(bin -> !bin.isEmpty())
                                    .map(Path::of))
                    .map(bin -> bin.resolve(name))
                    .filter(Files::isExecutable)
                    .findFirst()
                    .orElseThrow(
                            () ->
                                    new IllegalStateException(
                                            "No " + name + ": apt-get install postgresql"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static int version(Path folder) {
        String name = folder.getFileName().toString();
        return name.matches("\\d{1,4}") ? Integer.parseInt(name) : 0;
    }
}
