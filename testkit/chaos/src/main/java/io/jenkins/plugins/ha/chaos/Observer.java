package io.jenkins.plugins.ha.chaos;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.jenkins.plugins.ha.stage.RedisConnection;
import io.jenkins.plugins.ha.stage.RedisServer;
import io.jenkins.plugins.ha.stage.StoredItem;
import java.io.UncheckedIOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * Reads along on Redis itself, past all faulty lines: every change of every item goes into the
 * history, and now and then all keys at one moment. It also knows what lives, so that users find
 * something to cancel and to abort. Thread-safe.
 */
final class Observer {
    private static final long SNAPSHOT_MILLIS = 2_000;
    private static final long PAUSE_MILLIS = 50;
    private static final String BATCH = "2000";

    /** What a snapshot tells of each item, in this order. */
    private static final List<String> TOLD =
            List.of(
                    "job",
                    "state",
                    "blocked",
                    "concurrent",
                    "pinned",
                    "lane",
                    "owner",
                    "epoch",
                    "reaper",
                    "jobrev");

    /** All indexes and all live items at one moment. */
    private static final String DUMP =
            """
            local P, out = ARGV[1], {}
            for _, key in ipairs(redis.call('KEYS', P .. '*')) do
              local kind, name = redis.call('TYPE', key).ok, string.sub(key, #P + 1)
              if string.sub(name, 1, 5) ~= 'item:' then
                local value
                if kind == 'zset' then value = redis.call('ZRANGE', key, 0, -1, 'WITHSCORES')
                elseif kind == 'set' then value = redis.call('SMEMBERS', key)
                elseif kind == 'hash' then value = redis.call('HGETALL', key)
                elseif kind == 'string' and string.match(name, '^slot:') then value = {redis.call('GET', key)} end
                if value then out[#out + 1] = {name, kind, value} end
              end
            end
            for _, id in ipairs(redis.call('ZRANGE', P .. 'live', 0, -1)) do
              local v = {}
              for part in string.gmatch(redis.call('HGET', P .. 'item:' .. id, 'v') .. '\\n', '(.-)\\n') do
                v[#v + 1] = part
              end
              out[#out + 1] = {'item:' .. id, 'item', {TOLD}}
            end
            return cjson.encode(out)
            """
                    .replace(
                            "TOLD",
                            TOLD.stream()
                                    .map(
                                            part ->
                                                    "v["
                                                            + (StoredItem.names().indexOf(part) + 1)
                                                            + "]")
                                    .collect(Collectors.joining(", ")));

    private final RedisServer redis;
    private final String prefix;
    private final History history;
    private final Thread thread = new Thread(this::run, "observer");
    private final Map<Long, Live> live = new HashMap<>();
    private volatile boolean stopping;
    private String last = "0-0";
    private volatile long number;
    private long nextSnapshot;

    /**
     * An item that has not ended, as it was last heard of; {@code owner} is the id of who holds it.
     */
    record Live(long id, String job, char state, String owner, int number) {}

    Observer(RedisServer redis, String cluster, History history) {
        this.redis = redis;
        this.prefix = "{haj:" + cluster + "}:";
        this.history = history;
        thread.setDaemon(true);
    }

    void start() {
        thread.start();
    }

    /** Those that fit, in no order. */
    synchronized List<Live> live(Predicate<Live> wanted) {
        return live.values().stream().filter(wanted).toList();
    }

    /** The number of the last event that was read. */
    long number() {
        return number;
    }

    /** Reads no more. */
    void stop() throws InterruptedException {
        stopping = true;
        thread.join();
    }

    private void run() {
        while (!stopping) {
            try (RedisConnection connection = redis.connect()) {
                while (!stopping) {
                    read(connection);
                    if (System.currentTimeMillis() >= nextSnapshot) {
                        snapshot(connection, history, prefix);
                        nextSnapshot = System.currentTimeMillis() + SNAPSHOT_MILLIS;
                    }
                }
            } catch (UncheckedIOException | IllegalStateException away) {
                pause();
            }
        }
    }

    private void read(RedisConnection connection) {
        Object answer =
                connection.call(
                        "XREAD",
                        "COUNT",
                        BATCH,
                        "BLOCK",
                        "500",
                        "STREAMS",
                        prefix + "events",
                        last);
        if (answer == null) {
            return;
        }
        List<?> entries = (List<?>) ((List<?>) ((List<?>) answer).get(0)).get(1);
        for (Object entry : entries) {
            String id = (String) ((List<?>) entry).get(0);
            List<?> fields = (List<?>) ((List<?>) entry).get(1);
            event(Long.parseLong(id.substring(0, id.indexOf('-'))), fields);
            last = id;
        }
    }

    private void event(long at, List<?> fields) {
        Map<Object, Object> entry = new HashMap<>();
        for (int i = 0; i < fields.size(); i += 2) {
            entry.put(fields.get(i), fields.get(i + 1));
        }
        number = Long.parseLong((String) entry.get("n"));
        ObjectNode line = History.line("event").put("at", at).put("n", number);
        if (entry.get("m") != null) {
            String[] packed = ((String) entry.get("m")).split("\n", 2);
            Map<String, String> parts = StoredItem.parts(packed[1]);
            line.put("id", packed[0]);
            StoredItem.names().forEach(name -> line.put(name, parts.getOrDefault(name, "")));
            Live item =
                    new Live(
                            Long.parseLong(packed[0]),
                            parts.get("job"),
                            parts.get("state").charAt(0),
                            parts.getOrDefault("owner", ""),
                            Integer.parseInt(parts.get("number")));
            synchronized (this) {
                if (item.state() == 'D' || item.state() == 'X') {
                    live.remove(item.id());
                } else {
                    live.put(item.id(), item);
                }
            }
        }
        history.write(line);
    }

    /** Writes all indexes and all live items into the history, as they are at one moment. */
    static void snapshot(RedisConnection connection, History history, String prefix) {
        String keys = (String) connection.call("EVAL", DUMP, "0", prefix);
        ObjectNode line = History.line("snapshot").put("at", System.currentTimeMillis());
        line.set("keys", History.parse(keys));
        history.write(line);
    }

    private static void pause() {
        try {
            Thread.sleep(PAUSE_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
