package io.jenkins.plugins.ha.standin;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.bridge.Item;
import io.jenkins.plugins.ha.bridge.ItemState;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * The part of Jenkins' REST interface that a script needs: jobs, triggers, queue, builds, logs.
 * Jobs at top level.
 */
final class RestApi {
    private static final Logger LOG = Logger.getLogger(RestApi.class.getName());
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int THREADS = 16;
    private static final int LOG_PIECE = 1 << 20;

    private final Standin standin;
    private final HttpServer server;
    private final ExecutorService threads = Executors.newFixedThreadPool(THREADS);

    /** Listens from the moment it is made. */
    RestApi(Standin standin) throws IOException {
        this.standin = standin;
        int port = standin.settings.port();
        server =
                HttpServer.create(
                        new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 128);
        server.createContext("/", this::answer);
        server.setExecutor(threads);
        server.start();
    }

    void stop() {
        server.stop(0);
        threads.shutdownNow();
    }

    /** An answer that is no page. */
    private static final class Status extends RuntimeException {
        private static final long serialVersionUID = 1L;
        private final int code;

        Status(int code, String text) {
            super(text);
            this.code = code;
        }
    }

    private static Status notFound() {
        return new Status(404, "Not found");
    }

    private void answer(HttpExchange exchange) throws IOException {
        try (exchange) {
            try {
                route(exchange);
            } catch (Status e) {
                send(exchange, e.code, "text/plain", e.getMessage());
            } catch (HaException.Unavailable | HaException.NotFound e) {
                send(exchange, 503, "text/plain", e.getMessage());
            } catch (RuntimeException e) {
                LOG.log(Level.WARNING, exchange.getRequestURI() + " failed", e);
                send(exchange, 500, "text/plain", e.toString());
            }
        }
    }

    private void route(HttpExchange exchange) throws IOException {
        String[] path = exchange.getRequestURI().getPath().substring(1).split("/");
        boolean post = exchange.getRequestMethod().equals("POST");
        if (path[0].equals("job") && path.length > 2) {
            job(exchange, path, post);
        } else if (path[0].equals("queue")) {
            queue(exchange, path, post);
        } else if (path[0].equals("records")) {
            send(exchange, records());
        } else if (path[0].equals("createItem") && post) {
            String name = query(exchange).getOrDefault("name", "");
            if (!name.matches("[A-Za-z0-9_-][A-Za-z0-9 ._-]{0,63}")) {
                throw new Status(400, "No name for a job: " + name);
            }
            if (!standin.jobs.create(name, exchange.getRequestBody().readAllBytes())) {
                throw new Status(400, "A job already exists with the name " + name);
            }
            send(exchange, 200, "text/plain", "");
        } else if (path[0].isEmpty() || path[0].equals("login")) {
            send(exchange, 200, "text/html", page());
        } else {
            throw notFound();
        }
    }

    /** How the build records stand; not Jenkins' interface. */
    private ObjectNode records() {
        ObjectNode json = JSON.createObjectNode();
        standin.records
                .state()
                .ifPresent(
                        state ->
                                json.put("phase", state.phase().name())
                                        .put("text", state.text())
                                        .put("waiting", state.waiting()));
        return json;
    }

    // ---- queue

    private void queue(HttpExchange exchange, String[] path, boolean post) throws IOException {
        if (path.length > 2 && path[1].equals("item")) {
            Item item = standin.item(number(path[2])).orElseThrow(RestApi::notFound);
            send(exchange, json(item));
        } else if (path.length > 1 && path[1].equals("api")) {
            ArrayNode items = JSON.createArrayNode();
            standin.queue.live(i -> i.number() == 0).forEach(i -> items.add(json(i)));
            send(exchange, JSON.createObjectNode().set("items", items));
        } else if (path.length > 1 && path[1].equals("cancelItem") && post) {
            boolean cancelled = standin.cancel(number(query(exchange).get("id")), who(exchange));
            send(exchange, cancelled ? 204 : 404, "text/plain", "");
        } else {
            throw notFound();
        }
    }

    private ObjectNode json(Item item) {
        ObjectNode json = JSON.createObjectNode();
        json.put("id", item.id()).put("url", "queue/item/" + item.id() + "/");
        json.putObject("task").put("name", item.job()).put("url", jobUrl(item.job()));
        json.put("inQueueSince", item.enqueuedMillis());
        if (item.state() == ItemState.CANCELLED) {
            json.put("cancelled", true);
        } else if (item.number() > 0) {
            json.put("cancelled", false);
            json.putObject("executable")
                    .put("number", item.number())
                    .put("url", jobUrl(item.job()) + item.number() + "/");
        } else {
            boolean due = item.dueMillis() <= System.currentTimeMillis();
            json.put("blocked", item.blocked());
            json.put("buildable", due && !item.blocked());
            json.put("why", item.why().isEmpty() ? item.state().toString() : item.why());
        }
        return json;
    }

    // ---- jobs and builds

    private void job(HttpExchange exchange, String[] path, boolean post) throws IOException {
        String name = path[1];
        JobsFolder.Job job = standin.jobs.job(name).orElseThrow(RestApi::notFound);
        switch (path[2]) {
            case "api" -> send(exchange, json(name));
            case "build", "buildWithParameters" -> {
                if (!post) {
                    throw new Status(405, "Use POST");
                }
                trigger(exchange, name, job);
            }
            default -> build(exchange, path, post);
        }
    }

    private void trigger(HttpExchange exchange, String name, JobsFolder.Job job)
            throws IOException {
        Map<String, String> form = query(exchange);
        form.putAll(
                fields(
                        new String(
                                exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8)));
        Map<String, String> parameters = new LinkedHashMap<>();
        for (String parameter : job.parameters()) {
            parameters.put(parameter, form.getOrDefault(parameter, ""));
        }
        String cause = form.getOrDefault("cause", "Started by " + who(exchange));
        Trigger trigger = new Trigger(parameters, List.of(cause));
        if (standin.refuses(name, trigger)) {
            if (standin.settings.defect() == Defect.REFUSED_IS_STORED) {
                standin.trigger(name, job, trigger);
            }
            throw new Status(409, "Refused: one such item waits already");
        }
        long id =
                form.containsKey("stays")
                        ? standin.triggerHere(name, job, trigger)
                        : standin.trigger(name, job, trigger);
        exchange.getResponseHeaders()
                .set("Location", standin.settings.url() + "queue/item/" + id + "/");
        send(exchange, 201, "text/plain", "");
    }

    private ObjectNode json(String job) throws IOException {
        ObjectNode json = JSON.createObjectNode();
        json.put("name", job).put("fullName", job).put("url", jobUrl(job));
        ArrayNode builds = json.putArray("builds");
        for (int number : standin.jobs.builds(job)) {
            builds.addObject().put("number", number).put("url", jobUrl(job) + number + "/");
        }
        json.set("lastBuild", builds.get(0));
        json.put("nextBuildNumber", standin.jobs.highestNumber(job) + 1);
        json.put("inQueue", !standin.queue.queued(job).isEmpty());
        return json;
    }

    private void build(HttpExchange exchange, String[] path, boolean post) throws IOException {
        String job = path[1];
        int number =
                path[2].equals("lastBuild")
                        ? standin.jobs.builds(job).stream()
                                .findFirst()
                                .orElseThrow(RestApi::notFound)
                        : (int) number(path[2]);
        BuildRecord build = standin.jobs.read(job, number).orElseThrow(RestApi::notFound);
        switch (path.length > 3 ? path[3] : "") {
            case "api" -> send(exchange, json(build));
            case "consoleText" ->
                    send(exchange, 200, "text/plain", text(standin.jobs.log(job, number)));
            case "logText" -> progressiveText(exchange, build);
            case "stop" -> {
                if (post
                        && !standin.abort(job, number, who(exchange))
                        && standin.jobs
                                .read(job, number)
                                .filter(b -> b.result() == null)
                                .isPresent()) {
                    throw new Status(
                            503, "The controller that runs it did not stop it. Try again.");
                }
                redirect(exchange, jobUrl(job) + number + "/");
            }
            case "doDelete" -> {
                if (!post || !standin.delete(job, number)) {
                    throw new Status(400, job + " #" + number + " runs and cannot be deleted");
                }
                redirect(exchange, jobUrl(job));
            }
            default -> throw notFound();
        }
    }

    private ObjectNode json(BuildRecord build) {
        ObjectNode json = JSON.createObjectNode();
        ArrayNode actions = json.putArray("actions");
        actions.addObject().put("haController", build.controller());
        ArrayNode causes = actions.addObject().putArray("causes");
        build.causes().forEach(cause -> causes.addObject().put("shortDescription", cause));
        ArrayNode parameters = actions.addObject().putArray("parameters");
        build.parameters()
                .forEach(
                        (key, value) ->
                                parameters.addObject().put("name", key).put("value", value));
        json.put("number", build.number()).put("queueId", build.queueId());
        json.put("fullDisplayName", build.job() + " #" + build.number());
        json.put("url", jobUrl(build.job()) + build.number() + "/");
        json.put("building", build.result() == null).put("inProgress", build.result() == null);
        json.put("timestamp", build.started()).put("duration", build.duration());
        json.put("result", build.result());
        return json;
    }

    private void progressiveText(HttpExchange exchange, BuildRecord build) throws IOException {
        // Whether it runs was read before the text: its last lines are not missed.
        long start = Long.parseLong(query(exchange).getOrDefault("start", "0"));
        byte[] piece = {};
        Path log = standin.jobs.log(build.job(), build.number());
        if (Files.exists(log)) {
            try (RandomAccessFile file = new RandomAccessFile(log.toFile(), "r")) {
                long from = Math.min(start, file.length());
                piece = new byte[(int) Math.min(LOG_PIECE, file.length() - from)];
                file.seek(from);
                file.readFully(piece);
                start = from + piece.length;
            }
        }
        exchange.getResponseHeaders().set("X-Text-Size", Long.toString(start));
        if (build.result() == null || piece.length == LOG_PIECE) {
            exchange.getResponseHeaders().set("X-More-Data", "true");
        }
        send(exchange, 200, "text/plain", new String(piece, StandardCharsets.UTF_8));
    }

    private String page() throws IOException {
        StringBuilder page = new StringBuilder("<!DOCTYPE html><title>Stand-in controller</title>");
        page.append("<h1>Stand-in controller ")
                .append(escape(standin.settings.name()))
                .append("</h1>");
        page.append("<p>").append(escape(standin.link())).append("</p><h2>Queue</h2><ul>");
        standin.queue
                .live(i -> true)
                .forEach(i -> page.append("<li>").append(escape(i.toString())).append("</li>"));
        page.append("</ul><h2>Jobs</h2>");
        for (String job : standin.jobs.names()) {
            page.append("<h3>").append(escape(job)).append("</h3><ul>");
            for (int number : standin.jobs.builds(job)) {
                Optional<BuildRecord> build = standin.jobs.read(job, number);
                page.append(
                        "<li><a href='%sconsoleText'>#%d</a> "
                                .formatted("/job/" + escape(job) + "/" + number + "/", number));
                build.ifPresent(
                        b ->
                                page.append(b.result() == null ? "running" : b.result())
                                        .append(" on ")
                                        .append(escape(b.controller())));
                page.append("</li>");
            }
            page.append("</ul>");
        }
        return page.toString();
    }

    // ---- HTTP

    private String jobUrl(String job) {
        return standin.settings.url() + "job/" + job.replace(" ", "%20") + "/";
    }

    /** The user a client says it is: a stand-in knows no passwords. */
    private static String who(HttpExchange exchange) {
        String header = exchange.getRequestHeaders().getFirst("Authorization");
        if (header == null || !header.startsWith("Basic ")) {
            return "anonymous";
        }
        byte[] login = java.util.Base64.getDecoder().decode(header.substring(6));
        return new String(login, StandardCharsets.UTF_8).split(":", 2)[0];
    }

    private static long number(String text) {
        try {
            return Long.parseLong(text);
        } catch (NumberFormatException e) {
            throw notFound();
        }
    }

    private static String text(Path file) throws IOException {
        return Files.exists(file)
                ? new String(Files.readAllBytes(file), StandardCharsets.UTF_8)
                : "";
    }

    private static Map<String, String> query(HttpExchange exchange) {
        return fields(exchange.getRequestURI().getRawQuery());
    }

    private static Map<String, String> fields(String encoded) {
        Map<String, String> fields = new HashMap<>();
        for (String pair :
                encoded == null || encoded.isBlank() ? new String[0] : encoded.split("&")) {
            String[] parts = pair.split("=", 2);
            fields.put(
                    URLDecoder.decode(parts[0], StandardCharsets.UTF_8),
                    parts.length > 1 ? URLDecoder.decode(parts[1], StandardCharsets.UTF_8) : "");
        }
        return fields;
    }

    private static String escape(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace("'", "&#39;");
    }

    private static void redirect(HttpExchange exchange, String to) throws IOException {
        exchange.getResponseHeaders().set("Location", to);
        send(exchange, 302, "text/plain", "");
    }

    private static void send(HttpExchange exchange, com.fasterxml.jackson.databind.JsonNode json)
            throws IOException {
        send(exchange, 200, "application/json", json.toString());
    }

    private static void send(HttpExchange exchange, int status, String type, String body)
            throws IOException {
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("Content-Type", type + ";charset=UTF-8");
        exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
        if (bytes.length > 0) {
            exchange.getResponseBody().write(bytes);
        }
    }
}
