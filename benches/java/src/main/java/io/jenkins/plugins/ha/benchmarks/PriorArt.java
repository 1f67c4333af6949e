package io.jenkins.plugins.ha.benchmarks;

import io.lettuce.core.KeyValue;
import io.lettuce.core.RedisClient;
import io.lettuce.core.api.sync.RedisCommands;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/**
 * The scheme of the prior art (HaJenkins: a list that controllers push to and pop from, and a hash
 * of what waits on each of them), with the client it uses; driven as benches/cluster/role.rs says.
 *
 * <p>{@code PriorArt <produce|take> <Redis port> <name>}
 */
public final class PriorArt {
    private static final String LIST = "jenkins:queue";
    private static final String HASH = "jenkins:queue:local";
    private static final double IDLE_SECONDS = 0.6;
    private static final String PADDING = " " + ".".repeat(192);

    private final RedisCommands<String, String> redis;
    private final String name;
    private long ended;

    private PriorArt(RedisCommands<String, String> redis, String name) {
        this.redis = redis;
        this.name = name;
    }

    public static void main(String[] arguments) throws IOException, InterruptedException {
        RedisClient client = RedisClient.create("redis://127.0.0.1:" + arguments[1]);
        PriorArt player = new PriorArt(client.connect().sync(), arguments[2]);
        System.out.println(arguments[0]);
        BufferedReader orders =
                new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = orders.readLine(); line != null; line = orders.readLine()) {
            String[] words = line.split(" ");
            int number = Integer.parseInt(words[1]);
            switch (words[0]) {
                case "pace" -> player.pace(number, Integer.parseInt(words[2]));
                case "fill" -> player.fill(number);
                case "listen" -> player.listen(number);
                case "drain" -> player.drain();
                default -> throw new IllegalArgumentException(line);
            }
        }
        client.shutdown();
    }

    private static long now() {
        Instant now = Instant.now();
        return now.getEpochSecond() * 1_000_000_000 + now.getNano();
    }

    private static String payload() {
        return now() + PADDING;
    }

    private void pace(int count, int gapMicros) throws InterruptedException {
        for (int i = 0; i < count; i++) {
            redis.rpush(LIST, payload());
            Thread.sleep(gapMicros / 1000, gapMicros % 1000 * 1000);
        }
        System.out.println("paced");
    }

    private void fill(int count) {
        long began = now();
        for (int i = 0; i < count; i++) {
            redis.rpush(LIST, payload());
        }
        System.out.println("filled " + began + " " + now());
    }

    private void listen(int count) {
        List<String> latencies = new ArrayList<>();
        System.out.println("ready");
        while (latencies.size() < count) {
            String payload = redis.brpop(0, LIST).getValue();
            long sent = Long.parseLong(payload.substring(0, payload.indexOf(' ')));
            latencies.add(Long.toString(now() - sent));
            showAndEnd(payload);
        }
        System.out.println("latencies " + String.join(" ", latencies));
    }

    private void drain() {
        System.out.println("ready");
        int count = 0;
        long first = 0;
        long last = 0;
        while (true) {
            KeyValue<String, String> taken = redis.brpop(IDLE_SECONDS, LIST);
            if (taken == null) {
                System.out.println("drained " + count + " " + first + " " + last);
                return;
            }
            if (count == 0) {
                first = now();
            }
            count++;
            showAndEnd(taken.getValue());
            last = now();
        }
    }

    /** It is put into the hash for the others to show, and taken out when its build begins. */
    private void showAndEnd(String payload) {
        String field = name + ":" + ended++;
        redis.hset(HASH, field, payload);
        redis.hdel(HASH, field);
    }
}
