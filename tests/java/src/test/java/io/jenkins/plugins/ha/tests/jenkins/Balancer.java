package io.jenkins.plugins.ha.tests.jenkins;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.jenkins.plugins.ha.stage.Controller;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A small load balancer: asks each controller for {@code /ha-health/} twice a second and passes
 * requests on, in turns, to those that said that they are ready. It never tries again.
 */
final class Balancer implements FrontDoor {
    private static final long ASK_MILLIS = 500;
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final Set<String> HOP =
            Set.of(
                    "connection",
                    "content-length",
                    "host",
                    "transfer-encoding",
                    "upgrade",
                    "expect");

    private final List<Controller> controllers;
    private final HttpServer server;
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final ScheduledExecutorService asking = Executors.newSingleThreadScheduledExecutor();
    private final Map<Controller, JenkinsClient> clients = new HashMap<>();
    private final Map<Controller, HttpClient> ready = new ConcurrentHashMap<>();
    private final AtomicInteger turn = new AtomicInteger();

    Balancer(List<Controller> controllers) {
        this.controllers = List.copyOf(controllers);
        controllers.forEach(controller -> clients.put(controller, controller.client()));
        try {
            server =
                    HttpServer.create(
                            new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        server.setExecutor(threads);
        server.createContext("/", this::pass);
        server.start();
        ask();
        asking.scheduleWithFixedDelay(this::ask, ASK_MILLIS, ASK_MILLIS, TimeUnit.MILLISECONDS);
    }

    @Override
    public URI url() {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/");
    }

    @Override
    public boolean sendsTo(Controller controller) {
        return ready.containsKey(controller);
    }

    private void ask() {
        for (Controller controller : controllers) {
            boolean up;
            try {
                up = clients.get(controller).get("ha-health/").statusCode() == 200;
            } catch (UncheckedIOException e) {
                up = false;
            }
            if (!up) {
                ready.remove(controller);
            } else {
                ready.computeIfAbsent(controller, c -> HttpClient.newHttpClient());
            }
        }
    }

    private void pass(HttpExchange exchange) throws IOException {
        try (exchange) {
            byte[] body = exchange.getRequestBody().readAllBytes();
            List<Map.Entry<Controller, HttpClient>> able = new ArrayList<>();
            for (Controller controller : controllers) {
                HttpClient http = ready.get(controller);
                if (http != null) {
                    able.add(Map.entry(controller, http));
                }
            }
            if (able.isEmpty()) {
                exchange.sendResponseHeaders(503, -1);
                return;
            }
            int next = Math.floorMod(turn.getAndIncrement(), able.size());
            Controller to = able.get(next).getKey();
            HttpClient http = able.get(next).getValue();
            HttpRequest.Builder request =
                    HttpRequest.newBuilder(to.url().resolve(exchange.getRequestURI().toString()))
                            .timeout(PATIENCE)
                            .method(
                                    exchange.getRequestMethod(),
                                    HttpRequest.BodyPublishers.ofByteArray(body));
            exchange.getRequestHeaders()
                    .forEach(
                            (name, values) -> {
                                if (!HOP.contains(name.toLowerCase(Locale.ROOT))) {
                                    values.forEach(value -> request.header(name, value));
                                }
                            });
            try {
                HttpResponse<byte[]> answer =
                        http.send(request.build(), HttpResponse.BodyHandlers.ofByteArray());
                answer.headers()
                        .firstValue("Location")
                        .ifPresent(l -> exchange.getResponseHeaders().set("Location", l));
                exchange.getResponseHeaders().set("X-Sent-To", to.name());
                byte[] bytes = answer.body();
                exchange.sendResponseHeaders(
                        answer.statusCode(), bytes.length == 0 ? -1 : bytes.length);
                if (bytes.length > 0) {
                    exchange.getResponseBody().write(bytes);
                }
            } catch (IOException e) {
                byte[] text = (to.name() + ": " + e).getBytes(StandardCharsets.UTF_8);
                exchange.sendResponseHeaders(502, text.length);
                exchange.getResponseBody().write(text);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    @Override
    public void close() {
        asking.shutdownNow();
        server.stop(0);
        threads.shutdownNow();
    }
}
