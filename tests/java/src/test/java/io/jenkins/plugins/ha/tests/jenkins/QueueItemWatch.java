package io.jenkins.plugins.ha.tests.jenkins;

import com.fasterxml.jackson.databind.JsonNode;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** Asks one controller for a queue item over and over, as clients that wait for a build do. */
final class QueueItemWatch implements AutoCloseable {
    private static final long PAUSE_MILLIS = 10;

    /**
     * What was answered from some moment on.
     *
     * @param from when it was first answered, by {@link System#nanoTime()}
     * @param identity what must never change
     * @param phase where the item is
     */
    record Answer(long from, String identity, String phase) {}

    private final List<Answer> answers = new ArrayList<>();
    private final Thread thread;
    private volatile boolean stop;
    private volatile boolean executable;
    private volatile Throwable failure;

    QueueItemWatch(JenkinsClient client, long id) {
        thread =
                new Thread(
                        () -> {
                            try {
                                while (!stop) {
                                    look(client, id);
                                    Thread.sleep(PAUSE_MILLIS);
                                }
                            } catch (InterruptedException | RuntimeException | Error e) {
                                failure = e;
                            }
                        },
                        "watch " + client.url());
        thread.setDaemon(true);
        thread.start();
    }

    /** Whether the build has shown up, here. */
    boolean executable() {
        if (failure != null) {
            throw new AssertionError("watching the queue item failed", failure);
        }
        return executable;
    }

    /** Ends it; what it saw, without repetitions. */
    List<Answer> stop() throws InterruptedException {
        stop = true;
        thread.join();
        executable();
        return answers;
    }

    @Override
    public void close() {
        stop = true;
    }

    private void look(JenkinsClient client, long id) {
        JsonNode item =
                client.queueItem(id)
                        .orElseThrow(
                                () -> new AssertionError(client.url() + " does not know " + id));
        Answer answer = new Answer(System.nanoTime(), identity(item), phase(item));
        Answer last = answers.isEmpty() ? null : answers.get(answers.size() - 1);
        if (last == null
                || !last.identity.equals(answer.identity)
                || !last.phase.equals(answer.phase)) {
            answers.add(answer);
        }
        executable |= item.path("executable").hasNonNull("number");
    }

    private static String identity(JsonNode item) {
        Map<String, Object> fields = new TreeMap<>();
        for (String name : List.of("id", "inQueueSince", "params", "url")) {
            fields.put(name, item.path(name).asText());
        }
        fields.put("task", item.path("task").path("name").asText());
        fields.put("taskClass", item.path("task").path("_class").asText());
        fields.put("actions", actions(item));
        return fields.toString();
    }

    /** Parameters and causes of a queue item or a build, and whatever else says something. */
    static String actions(JsonNode of) {
        List<String> result = new ArrayList<>();
        for (JsonNode action : of.path("actions")) {
            Map<String, String> rest = new HashMap<>();
            action.fields()
                    .forEachRemaining(
                            field -> rest.put(field.getKey(), field.getValue().toString()));
            rest.remove("haController");
            if (rest.remove("_class") != null && !rest.isEmpty()) {
                result.add(action.path("_class").asText() + new TreeMap<>(rest));
            }
        }
        return result.stream().sorted().collect(Collectors.joining("\n"));
    }

    private static String phase(JsonNode item) {
        String shape = item.path("_class").asText().replaceAll(".*\\$", "");
        int number = item.path("executable").path("number").asInt();
        return shape
                + (item.path("blocked").asBoolean() ? " blocked" : "")
                + (item.path("buildable").asBoolean() ? " buildable" : "")
                + (item.path("stuck").asBoolean() ? " stuck" : "")
                + (item.path("cancelled").asBoolean() ? " cancelled" : "")
                + (item.hasNonNull("why")
                        ? " '" + item.path("why").asText().replaceAll("\\d[\\d.]* \\S+", "N") + "'"
                        : "")
                + (number > 0 ? " executable #" + number : "");
    }
}
