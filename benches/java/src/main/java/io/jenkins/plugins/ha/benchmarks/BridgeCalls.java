package io.jenkins.plugins.ha.benchmarks;

import io.jenkins.plugins.ha.bridge.BridgeDoor;
import io.jenkins.plugins.ha.bridge.Cluster;
import io.jenkins.plugins.ha.bridge.ClusterSettings;
import io.jenkins.plugins.ha.bridge.LinkState;
import io.jenkins.plugins.ha.bridge.NativeLibrary;
import io.jenkins.plugins.ha.bridge.NewItem;
import io.jenkins.plugins.ha.stage.RedisServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.CompilerControl;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/**
 * What crossing from Java to Rust and back costs, beside a Java call that does the same. Prints a
 * table in Markdown.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@State(Scope.Thread)
public class BridgeCalls {
    private static final int SMALL = 200;
    private static final int LARGE = 10 * 1024;

    private final byte[] small = new byte[SMALL];
    private final byte[] large = new byte[LARGE];
    private final String text = "x".repeat(SMALL);
    private final LinkState state = new LinkState(LinkState.Phase.JOINED, "text", 1, "");
    private long counter;

    /** A membership of a cluster on a Redis of its own. */
    @State(Scope.Benchmark)
    public static class Joined {
        private Path folder;
        private RedisServer redis;
        private Cluster cluster;
        private NewItem small;
        private NewItem large;

        @Setup
        public void join() throws IOException {
            folder = Files.createTempDirectory("ha-jenkins-bench-");
            redis = new RedisServer(folder).start();
            cluster =
                    Cluster.open(
                            new ClusterSettings(
                                    "bench",
                                    redis.url(),
                                    "",
                                    UUID.randomUUID().toString(),
                                    "bench",
                                    "http://bench/",
                                    "1",
                                    1000,
                                    5000,
                                    new byte[32]));
            if (!cluster.awaitJoined(10_000)) {
                throw new IllegalStateException(cluster.link().text());
            }
            small = item(SMALL);
            large = item(LARGE);
        }

        private NewItem item(int size) {
            return new NewItem(
                    cluster.nextQueueId(), "job", "", 1000, 0, true, "", new byte[size]);
        }

        @TearDown
        public void leave() throws IOException {
            cluster.close();
            redis.stop();
            try (Stream<Path> files = Files.walk(folder)) {
                for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(file);
                }
            }
        }
    }

    @Setup
    public void load() {
        NativeLibrary.load();
    }

    @Benchmark
    public long plainNumber() {
        return plainNext();
    }

    @Benchmark
    public long bridgeNumber(Joined joined) {
        return joined.cluster.nextQueueId();
    }

    @Benchmark
    public LinkState plainRecord() {
        return plainLink();
    }

    @Benchmark
    public LinkState bridgeRecord(Joined joined) {
        return joined.cluster.link();
    }

    @Benchmark
    public byte[] plainSmall() {
        return plainEcho(small);
    }

    @Benchmark
    public byte[] bridgeSmall() {
        return BridgeDoor.echoBytes(small);
    }

    @Benchmark
    public byte[] plainLarge() {
        return plainEcho(large);
    }

    @Benchmark
    public byte[] bridgeLarge() {
        return BridgeDoor.echoBytes(large);
    }

    @Benchmark
    public String plainText() {
        return plainEcho(text);
    }

    @Benchmark
    public String bridgeText() {
        return BridgeDoor.echoText(text);
    }

    /** Repeated, it changes nothing: the round trip, and what the bridge adds to it. */
    @Benchmark
    public Object enqueueSmall(Joined joined) {
        return joined.cluster.enqueue(joined.small, -1);
    }

    @Benchmark
    public Object enqueueLarge(Joined joined) {
        return joined.cluster.enqueue(joined.large, -1);
    }

    @CompilerControl(CompilerControl.Mode.DONT_INLINE)
    private long plainNext() {
        return ++counter;
    }

    @CompilerControl(CompilerControl.Mode.DONT_INLINE)
    private LinkState plainLink() {
        return new LinkState(state.phase(), state.text(), ++counter, "");
    }

    @CompilerControl(CompilerControl.Mode.DONT_INLINE)
    private byte[] plainEcho(byte[] bytes) {
        return bytes.clone();
    }

    @CompilerControl(CompilerControl.Mode.DONT_INLINE)
    private String plainEcho(String from) {
        return new String(from.toCharArray());
    }

    public static void main(String[] arguments) throws RunnerException {
        Map<String, Double> nanos = new HashMap<>();
        OptionsBuilder options = new OptionsBuilder();
        options.include(BridgeCalls.class.getName())
                .verbosity(VerboseMode.SILENT)
                .shouldFailOnError(true)
                .forks(arguments.length > 0 && arguments[0].equals("--quick") ? 1 : 2)
                .warmupIterations(3)
                .warmupTime(TimeValue.milliseconds(300))
                .measurementIterations(5)
                .measurementTime(TimeValue.milliseconds(300));
        for (RunResult result : new Runner(options.build()).run()) {
            String name = result.getParams().getBenchmark();
            nanos.put(
                    name.substring(name.lastIndexOf('.') + 1),
                    result.getPrimaryResult().getStatistics().getPercentile(50));
        }
        System.out.println("| call | Java, ns | over the bridge, ns | ratio |");
        System.out.println("| --- | --- | --- | --- |");
        row(nanos, "a number back (`nextQueueId`)", "Number");
        row(nanos, "a record with a text back (`link`)", "Record");
        row(nanos, "200 bytes there and back", "Small");
        row(nanos, "10 KB there and back", "Large");
        row(nanos, "a text of 200 characters there and back", "Text");
        String whole = "| %s, with its Redis round trip | | %,.0f | |%n";
        System.out.printf(
                Locale.ROOT, whole, "`enqueue` of 200 bytes", nanos.get("enqueueSmall"));
        System.out.printf(Locale.ROOT, whole, "`enqueue` of 10 KB", nanos.get("enqueueLarge"));
    }

    private static void row(Map<String, Double> nanos, String what, String name) {
        double java = nanos.get("plain" + name);
        double bridge = nanos.get("bridge" + name);
        System.out.printf(
                Locale.ROOT, "| %s | %,.0f | %,.0f | %.1f |%n", what, java, bridge, bridge / java);
    }
}
