package io.jenkins.plugins.ha.chaos;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.jenkins.plugins.ha.stage.Controller;
import io.jenkins.plugins.ha.stage.RedisConnection;
import io.jenkins.plugins.ha.stage.Stage;
import io.jenkins.plugins.ha.stage.StoredItem;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Writes down what is left when a run is over: in Redis, in the shared folder, in the database, by
 * the scripts.
 */
final class Aftermath {
    private static final String ROWS =
            """
            SELECT json_build_object('type', 'row', 'job', j.full_name, 'number', b.number, 'state', b.state,
              'item', b.queue_id, 'controller', b.controller_name, 'epoch', b.epoch, 'result', b.result,
              'version', b.version)
            FROM ha_build b JOIN ha_job j ON j.id = b.job_id %s ORDER BY j.full_name, b.number
            """;

    private static final Pattern REFUSED =
            Pattern.compile("The record of (.*) #(\\d+) is not written: (.*)");

    private Aftermath() {}

    static void write(Stage stage, Path ledger, History history) throws IOException {
        shells(ledger, history);
        records(stage.shared().jobs(), history);
        rows(stage, history);
        String prefix = "{haj:" + stage.cluster() + "}:";
        try (RedisConnection redis = stage.redis().connect()) {
            Observer.snapshot(redis, history, prefix);
            for (Object key : (List<?>) redis.call("KEYS", prefix + "*")) {
                key(redis, (String) key, prefix.length(), history);
            }
        }
    }

    /** What of the builds waits to be recorded; empty when nothing does. */
    static String unrecorded(Stage stage) {
        StringBuilder left = new StringBuilder();
        for (Controller controller : stage.controllers()) {
            JsonNode state = controller.client().json("records");
            if (state.path("waiting").asInt(-1) != 0
                    || !state.path("phase").asText().equals("READY")) {
                left.append(controller.name()).append(": ").append(state).append(' ');
            }
        }
        List<String> running = stage.postgres().rows(ROWS.formatted("WHERE b.state = 0"));
        return running.isEmpty() ? left.toString() : left.append(running).toString();
    }

    private static void rows(Stage stage, History history) throws IOException {
        if (!stage.postgres().alive()) {
            return;
        }
        history.write(History.line("database"));
        for (String row : stage.postgres().rows(ROWS.formatted(""))) {
            history.write((ObjectNode) History.parse(row));
        }
        for (Controller controller : stage.controllers()) {
            Matcher refused = REFUSED.matcher(controller.logText());
            while (refused.find()) {
                history.write(
                        History.line("refused")
                                .put("controller", controller.name())
                                .put("job", refused.group(1))
                                .put("number", Integer.parseInt(refused.group(2)))
                                .put("why", refused.group(3)));
            }
            try (Stream<Path> outbox = Files.list(controller.home().resolve("ha-outbox"))) {
                outbox.filter(file -> file.toString().endsWith(".journal"))
                        .forEach(
                                file ->
                                        history.write(
                                                History.line("outbox")
                                                        .put("controller", controller.name())
                                                        .put(
                                                                "file",
                                                                file.getFileName().toString())));
            }
        }
    }

    private static void key(RedisConnection redis, String key, int prefix, History history) {
        String name = key.substring(prefix);
        if (!name.startsWith("item:")) {
            history.write(
                    History.line("key")
                            .put("key", name)
                            .put("kind", (String) redis.call("TYPE", key))
                            .put("ttl", (Long) redis.call("TTL", key)));
            return;
        }
        List<?> fields = (List<?>) redis.call("HGETALL", key);
        ObjectNode line = History.line("item").put("id", Long.parseLong(name.substring(5)));
        for (int i = 0; i < fields.size(); i += 2) {
            if (fields.get(i).equals("v")) {
                StoredItem.parts((String) fields.get(i + 1)).forEach(line::put);
            } else {
                line.put((String) fields.get(i), (String) fields.get(i + 1));
            }
        }
        history.write(line.put("ttl", (Long) redis.call("TTL", key)));
    }

    private static void shells(Path ledger, History history) throws IOException {
        if (!Files.exists(ledger)) {
            return;
        }
        for (String said : Files.readAllLines(ledger)) {
            String[] word = said.split(" ");
            history.write(
                    History.line("shell")
                            .put("phase", word[0])
                            .put("at", Long.parseLong(word[1]))
                            .put("job", word[2])
                            .put("number", Integer.parseInt(word[3]))
                            .put("item", Long.parseLong(word[4]))
                            .put("controller", word[5])
                            .put("epoch", Long.parseLong(word[6])));
        }
    }

    private static void records(Path jobs, History history) throws IOException {
        try (Stream<Path> files = Files.walk(jobs, 4)) {
            for (Path file :
                    files.filter(f -> f.getFileName().toString().equals("build.json")).toList()) {
                Path ended = file.resolveSibling("ended.json");
                JsonNode record =
                        History.parse(Files.readString(Files.exists(ended) ? ended : file));
                ObjectNode line =
                        History.line("record")
                                .put("job", record.path("job").asText())
                                .put("number", record.path("number").asInt())
                                .put("item", record.path("queueId").asLong())
                                .put("controller", record.path("controller").asText())
                                .put("result", record.path("result").asText(null));
                line.set("causes", record.path("causes"));
                history.write(line);
            }
        }
    }
}
