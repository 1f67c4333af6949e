package io.jenkins.plugins.ha.chaos;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.jenkins.plugins.ha.stage.Controller;
import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Users: they trigger, cancel and abort on any controller, and what they asked and heard goes into
 * the history. None repeats what was not answered.
 */
final class Workload {
    private static final int USERS = 12;
    private static final Duration CONNECT = Duration.ofSeconds(2);
    private static final Duration ANSWER = Duration.ofSeconds(12);
    private static final int MEAN_PAUSE_MILLIS = 400;

    /**
     * Users wait while so much is under way: a long queue would hide how long a take-over takes.
     */
    private static final int MOST_LIVE = 40;

    private static final Pattern QUEUE_ID = Pattern.compile("/queue/item/(\\d+)/?$");

    private final List<Controller> controllers;
    private final Observer observer;
    private final History history;
    private final HttpClient http =
            HttpClient.newBuilder()
                    .version(HttpClient.Version.HTTP_1_1)
                    .connectTimeout(CONNECT)
                    .build();
    private final List<Thread> threads = new ArrayList<>();
    private final AtomicLong tokens = new AtomicLong();
    private volatile boolean stopping;

    Workload(List<Controller> controllers, Observer observer, History history, long seed) {
        this.controllers = List.copyOf(controllers);
        this.observer = observer;
        this.history = history;
        for (int i = 0; i < USERS; i++) {
            Random random = new Random(seed * 31 + i);
            threads.add(new Thread(() -> use(random), "user-" + i));
        }
    }

    void start() {
        threads.forEach(Thread::start);
    }

    /** Waits until each user has the answer to his last question. */
    void stop() throws InterruptedException {
        stopping = true;
        for (Thread thread : threads) {
            thread.join();
        }
    }

    private void use(Random random) {
        while (!stopping) {
            Controller controller = controllers.get(random.nextInt(controllers.size()));
            int dice = random.nextInt(100);
            if (dice < 10) {
                cancel(controller, random);
            } else if (dice < 16) {
                abort(controller, random);
            } else if (observer.live(i -> true).size() < MOST_LIVE) {
                trigger(controller, random);
            }
            try {
                Thread.sleep(random.nextInt(2 * MEAN_PAUSE_MILLIS));
            } catch (InterruptedException e) {
                return;
            }
        }
    }

    private void trigger(Controller controller, Random random) {
        Plan.Kind kind = kind(random.nextInt(100));
        String job = kind.job(random.nextInt(kind.jobs));
        String token = "t" + tokens.incrementAndGet();
        boolean quiet = kind.quietSeconds > 0;
        double shortest = Double.parseDouble(kind.shortest);
        double longest = Double.parseDouble(kind.longest);
        double sleep = quiet ? shortest : shortest + random.nextDouble() * (longest - shortest);
        Map<String, String> form = new HashMap<>();
        form.put("P", quiet ? "same" + random.nextInt(3) : token);
        form.put("S", "%.2f".formatted(sleep));
        form.put("F", !quiet && random.nextInt(20) == 0 ? "1" : "0");
        boolean vanishes = !quiet && random.nextInt(20) == 0;
        form.put("V", vanishes ? "1" : "0");
        boolean once = !quiet && random.nextInt(10) == 0;
        form.put("H", once ? "once" : "");
        form.put("cause", token);
        ObjectNode line =
                History.line("trigger")
                        .put("via", controller.name())
                        .put("job", job)
                        .put("token", token);
        if (vanishes) {
            line.put("vanishes", true);
        }
        int where = quiet ? 0 : random.nextInt(10);
        if (where > 7) {
            form.put("stays", "1");
            line.put("only", controller.name());
        } else if (where > 6) {
            String not = controllers.get(random.nextInt(controllers.size())).name();
            form.put("N", not);
            line.put("not", not);
        }
        HttpResponse<String> answer =
                ask(controller, "job/" + job + "/buildWithParameters", form, line);
        if (answer != null) {
            Matcher id = QUEUE_ID.matcher(answer.headers().firstValue("Location").orElse(""));
            if (answer.statusCode() == 201 && id.find()) {
                line.put("answer", "accepted").put("item", Long.parseLong(id.group(1)));
            } else if (answer.statusCode() == 409) {
                line.put("answer", "refused");
            } else {
                line.put("answer", "unknown").put("status", answer.statusCode());
            }
        }
        history.write(line);
    }

    private static Plan.Kind kind(int dice) {
        if (dice < 42) {
            return Plan.Kind.MANY;
        } else if (dice < 70) {
            return Plan.Kind.SINGLE;
        } else if (dice < 82) {
            return Plan.Kind.QUIET;
        } else if (dice < 93) {
            return Plan.Kind.QUIET_SINGLE;
        }
        return Plan.Kind.LONG;
    }

    private void cancel(Controller controller, Random random) {
        List<Observer.Live> waiting = observer.live(i -> i.state() == 'Q' || i.state() == 'C');
        if (waiting.isEmpty()) {
            return;
        }
        long id = waiting.get(random.nextInt(waiting.size())).id();
        ObjectNode line = History.line("cancel").put("via", controller.name()).put("item", id);
        HttpResponse<String> answer = ask(controller, "queue/cancelItem?id=" + id, Map.of(), line);
        if (answer != null) {
            line.put(
                    "answer",
                    switch (answer.statusCode()) {
                        case 204 -> "cancelled";
                        case 404 -> "no";
                        default -> "unknown";
                    });
        }
        history.write(line);
    }

    private void abort(Controller controller, Random random) {
        List<Observer.Live> running = observer.live(i -> i.state() == 'R');
        if (running.isEmpty()) {
            return;
        }
        Observer.Live build = running.get(random.nextInt(running.size()));
        ObjectNode line =
                History.line("abort")
                        .put("via", controller.name())
                        .put("job", build.job())
                        .put("number", build.number());
        HttpResponse<String> answer =
                ask(
                        controller,
                        "job/" + build.job() + "/" + build.number() + "/stop",
                        Map.of(),
                        line);
        if (answer != null) {
            line.put("answer", answer.statusCode() == 302 ? "sent" : "unknown");
        }
        history.write(line);
    }

    /** Null when there was no answer; the line says why. */
    private HttpResponse<String> ask(
            Controller controller, String path, Map<String, String> form, ObjectNode line) {
        String body =
                form.entrySet().stream()
                        .map(
                                e ->
                                        e.getKey()
                                                + "="
                                                + URLEncoder.encode(
                                                        e.getValue(), StandardCharsets.UTF_8))
                        .collect(Collectors.joining("&"));
        HttpRequest request =
                HttpRequest.newBuilder(URI.create(controller.url() + path))
                        .timeout(ANSWER)
                        .header("Content-Type", "application/x-www-form-urlencoded")
                        .POST(HttpRequest.BodyPublishers.ofString(body))
                        .build();
        line.put("begin", System.currentTimeMillis());
        try {
            return http.send(request, HttpResponse.BodyHandlers.ofString());
        } catch (ConnectException e) {
            line.put("answer", "refused");
            return null;
        } catch (IOException e) {
            line.put("answer", "unknown");
            return null;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            line.put("answer", "unknown");
            return null;
        } finally {
            line.put("end", System.currentTimeMillis());
        }
    }
}
