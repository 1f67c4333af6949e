package io.jenkins.plugins.ha.stage;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.CookieManager;
import java.net.CookiePolicy;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Jenkins' REST interface and CLI on one controller, for scripts and tests. Handles crumbs, session
 * and login; follows no redirects. Thread-safe. A job is named by its full name ({@code
 * folder/job}). Methods that return a value throw {@link UnexpectedAnswer} for any answer that is
 * not it; those that return a status leave judging to the caller.
 */
public final class JenkinsClient {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Duration CONNECT = Duration.ofSeconds(5);
    private static final Duration REQUEST = Duration.ofSeconds(60);
    private static final Pattern QUEUE_ID = Pattern.compile("/queue/item/(\\d+)/?$");

    private final URI base;
    private final String login;
    private final HttpClient http;
    private volatile Map.Entry<String, String> crumb;

    /** An answer that does not fit the question. */
    public static final class UnexpectedAnswer extends RuntimeException {
        private static final long serialVersionUID = 1L;

        private final int status;

        UnexpectedAnswer(HttpResponse<String> answer) {
            super(
                    answer.request().method()
                            + " "
                            + answer.uri()
                            + " answers "
                            + answer.statusCode()
                            + ": "
                            + answer.body().substring(0, Math.min(500, answer.body().length())));
            status = answer.statusCode();
        }

        /** The HTTP status. */
        public int status() {
            return status;
        }
    }

    /**
     * A piece of a log.
     *
     * @param text from the offset asked for
     * @param next the offset to ask for next
     * @param more whether the build still writes
     */
    public record LogPiece(String text, long next, boolean more) {}

    /** A client that is not logged in; {@code base} ends in a slash. */
    public JenkinsClient(URI base) {
        this(base, "");
    }

    private JenkinsClient(URI base, String login) {
        this.base = base;
        this.login = login;
        this.http =
                HttpClient.newBuilder()
                        .version(HttpClient.Version.HTTP_1_1)
                        .connectTimeout(CONNECT)
                        .cookieHandler(new CookieManager(null, CookiePolicy.ACCEPT_ALL))
                        .followRedirects(HttpClient.Redirect.NEVER)
                        .build();
    }

    /** The same controller as this user; {@code secret} is a password or an API token. */
    public JenkinsClient as(String user, String secret) {
        return new JenkinsClient(base, user + ":" + secret);
    }

    public URI url() {
        return base;
    }

    /** The address of a job's page. */
    public static String jobPath(String job) {
        StringBuilder path = new StringBuilder();
        for (String part : job.split("/")) {
            path.append("job/").append(encode(part).replace("+", "%20")).append('/');
        }
        return path.toString();
    }

    // ---- requests

    /** Whether pages are served: false while nobody listens, and while Jenkins still loads. */
    public boolean reachable() {
        try {
            return get("login").statusCode() == 200;
        } catch (UncheckedIOException e) {
            return false;
        }
    }

    /** GET of a path below the base. */
    public HttpResponse<String> get(String path) {
        return send(request(path).GET().build());
    }

    /** GET of a page that must be there. */
    public String text(String path) {
        return expect(get(path), 200).body();
    }

    /** GET of JSON that must be there. */
    public JsonNode json(String path) {
        return parse(expect(get(path), 200).body());
    }

    /** GET of JSON; empty for 404. */
    public Optional<JsonNode> jsonIfPresent(String path) {
        HttpResponse<String> answer = get(path);
        return answer.statusCode() == 404
                ? Optional.empty()
                : Optional.of(parse(expect(answer, 200).body()));
    }

    /** POST of a form, with a crumb where one is asked for. */
    public HttpResponse<String> post(String path, Map<String, String> form) {
        String body =
                form.entrySet().stream()
                        .map(e -> encode(e.getKey()) + "=" + encode(e.getValue()))
                        .collect(Collectors.joining("&"));
        return post(path, "application/x-www-form-urlencoded", body);
    }

    /** POST of anything, with a crumb where one is asked for. */
    public HttpResponse<String> post(String path, String contentType, String body) {
        return post(path, contentType, body, Map.of());
    }

    /** As {@link #post(String, String, String)}, with more headers. */
    public HttpResponse<String> post(
            String path, String contentType, String body, Map<String, String> headers) {
        HttpResponse<String> answer = postOnce(path, contentType, body, headers);
        if (answer.statusCode() == 403 && answer.body().contains("crumb")) {
            // Crumbs belong to a session, which ends with the controller's process.
            crumb = null;
            answer = postOnce(path, contentType, body, headers);
        }
        return answer;
    }

    // ---- jobs

    /** Creates a job from its config.xml. */
    public void createJob(String job, String xml) {
        int slash = job.lastIndexOf('/');
        String folder = slash < 0 ? "" : jobPath(job.substring(0, slash));
        expect(
                post(
                        folder + "createItem?name=" + encode(job.substring(slash + 1)),
                        "application/xml",
                        xml),
                200);
    }

    /** Whether this controller knows the job. */
    public boolean hasJob(String job) {
        return get(jobPath(job) + "api/json?tree=name").statusCode() == 200;
    }

    /** {@code api/json} of the job. */
    public JsonNode job(String job) {
        return json(jobPath(job) + "api/json");
    }

    /** Deletes the job with all its builds. */
    public int deleteJob(String job) {
        return post(jobPath(job) + "doDelete", Map.of()).statusCode();
    }

    /**
     * Makes a real controller read its configuration from disk again; returns once it serves pages.
     */
    public void reload(Duration within) {
        post("reload", Map.of());
        Eventually.until(base + " has reloaded", within, this::reachable);
    }

    // ---- triggers and queue

    /** Triggers a build; returns the queue id out of the Location of a 201. */
    public long trigger(String job) {
        return queueId(post(jobPath(job) + "build", Map.of()));
    }

    /** As {@link #trigger(String)}, with parameters. */
    public long trigger(String job, Map<String, String> parameters) {
        return queueId(post(jobPath(job) + "buildWithParameters", parameters));
    }

    /** {@code /queue/item/N/api/json}; empty when this controller knows no such item. */
    public Optional<JsonNode> queueItem(long id) {
        return jsonIfPresent("queue/item/" + id + "/api/json");
    }

    /** {@code /queue/api/json}. */
    public JsonNode queue() {
        return json("queue/api/json");
    }

    /** Cancels a queue item; Jenkins answers 204 when it is gone and 404 for an unknown one. */
    public int cancel(long id) {
        return post("queue/cancelItem?id=" + id, Map.of()).statusCode();
    }

    /** Waits until the item has become a build here, and returns its number. */
    public int awaitBuildNumber(long queueId, Duration within) {
        return Eventually.get(
                "queue item " + queueId + " has a build on " + base,
                within,
                () ->
                        queueItem(queueId)
                                .map(item -> item.path("executable").path("number").asInt())
                                .filter(number -> number > 0));
    }

    // ---- builds

    /** {@code api/json} of a build; empty when this controller knows no such build. */
    public Optional<JsonNode> build(String job, int number) {
        return jsonIfPresent(buildPath(job, number) + "api/json");
    }

    /** Waits until a build looks as wanted here. */
    public JsonNode awaitBuild(
            String job, int number, String what, Duration within, Predicate<JsonNode> wanted) {
        return Eventually.get(
                job + " #" + number + " " + what + " on " + base,
                within,
                () -> build(job, number).filter(wanted));
    }

    /** Waits until a build has ended here, and returns its result. */
    public String awaitResult(String job, int number, Duration within) {
        return awaitBuild(
                        job,
                        number,
                        "has ended",
                        within,
                        build ->
                                !build.path("building").asBoolean()
                                        && !build.path("result").isNull())
                .path("result")
                .asText();
    }

    /**
     * The controller that ran or runs a build, as its {@code api/json} says; empty when it does
     * not.
     */
    public static String controllerOf(JsonNode build) {
        for (JsonNode action : build.path("actions")) {
            if (action.hasNonNull("haController")) {
                return action.get("haController").asText();
            }
        }
        return "";
    }

    /** Presses a build's stop button. */
    public int stop(String job, int number) {
        return post(buildPath(job, number) + "stop", Map.of()).statusCode();
    }

    /** Deletes a build. */
    public int deleteBuild(String job, int number) {
        return post(buildPath(job, number) + "doDelete", Map.of()).statusCode();
    }

    /** The whole log. */
    public String console(String job, int number) {
        return text(buildPath(job, number) + "consoleText");
    }

    /** The log from an offset on, as the console page fetches it. */
    public LogPiece log(String job, int number, long from) {
        HttpResponse<String> answer =
                expect(get(buildPath(job, number) + "logText/progressiveText?start=" + from), 200);
        return new LogPiece(
                answer.body(),
                answer.headers().firstValueAsLong("X-Text-Size").orElse(from),
                answer.headers().firstValue("X-More-Data").isPresent());
    }

    // ---- CLI

    /**
     * Starts jenkins-cli.jar, fetched from this controller, over HTTP; as the user of this client.
     *
     * @param folder receives the jar and the output
     */
    public CliRun cli(Path folder, String... arguments) {
        try {
            Files.createDirectories(folder);
            Path jar = folder.resolve("jenkins-cli-" + base.getPort() + ".jar");
            synchronized (this) {
                if (!Files.exists(jar)) {
                    fetch("jnlpJars/jenkins-cli.jar", jar);
                }
            }
            List<String> command = new ArrayList<>();
            command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
            command.addAll(List.of("-Xmx64m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"));
            command.addAll(List.of("-jar", jar.toString(), "-s", base.toString(), "-http"));
            Map<String, String> environment = Map.of();
            if (!login.isEmpty()) {
                // Not on the command line, where everybody on the machine can read it.
                int colon = login.indexOf(':');
                environment =
                        Map.of(
                                "JENKINS_USER_ID",
                                login.substring(0, colon),
                                "JENKINS_API_TOKEN",
                                login.substring(colon + 1));
            }
            command.addAll(List.of(arguments));
            Path log = Files.createTempFile(folder, "cli", ".log");
            return new CliRun(ServerProcess.start("cli", command, environment, folder, log));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A running command of Jenkins' CLI. */
    public static final class CliRun {
        private final ServerProcess process;

        private CliRun(ServerProcess process) {
            this.process = process;
        }

        public boolean running() {
            return process.alive();
        }

        /** Waits for its end and returns its exit code; kills it at the deadline. */
        public int await(Duration within) {
            if (!process.awaitExit(within)) {
                process.kill9();
                throw new AssertionError("CLI not done within " + within + ":\n" + output());
            }
            return process.exitCode();
        }

        /** What it printed so far, on both streams. */
        public String output() {
            return process.output();
        }
    }

    // ---- below

    private static String buildPath(String job, int number) {
        return jobPath(job) + number + "/";
    }

    private static long queueId(HttpResponse<String> answer) {
        Matcher id =
                QUEUE_ID.matcher(expect(answer, 201).headers().firstValue("Location").orElse(""));
        if (!id.find()) {
            throw new UnexpectedAnswer(answer);
        }
        return Long.parseLong(id.group(1));
    }

    private HttpResponse<String> postOnce(
            String path, String contentType, String body, Map<String, String> headers) {
        Map.Entry<String, String> mine = crumb;
        if (mine == null) {
            HttpResponse<String> issued = get("crumbIssuer/api/json");
            if (issued.statusCode() == 200) {
                JsonNode json = parse(issued.body());
                mine =
                        Map.entry(
                                json.path("crumbRequestField").asText(),
                                json.path("crumb").asText());
            } else {
                mine = Map.entry("", "");
            }
            crumb = mine;
        }
        HttpRequest.Builder request = request(path).header("Content-Type", contentType);
        headers.forEach(request::header);
        if (!mine.getKey().isEmpty()) {
            request.header(mine.getKey(), mine.getValue());
        }
        return send(request.POST(HttpRequest.BodyPublishers.ofString(body)).build());
    }

    private HttpRequest.Builder request(String path) {
        HttpRequest.Builder request = HttpRequest.newBuilder(base.resolve(path)).timeout(REQUEST);
        if (!login.isEmpty()) {
            request.header(
                    "Authorization",
                    "Basic "
                            + Base64.getEncoder()
                                    .encodeToString(login.getBytes(StandardCharsets.UTF_8)));
        }
        return request;
    }

    private HttpResponse<String> send(HttpRequest request) {
        return send(request, HttpResponse.BodyHandlers.ofString());
    }

    private <T> HttpResponse<T> send(HttpRequest request, HttpResponse.BodyHandler<T> handler) {
        try {
            return http.send(request, handler);
        } catch (IOException e) {
            throw new UncheckedIOException(request.method() + " " + request.uri() + ": " + e, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }

    private void fetch(String path, Path to) {
        HttpResponse<Path> answer =
                send(request(path).build(), HttpResponse.BodyHandlers.ofFile(to));
        if (answer.statusCode() != 200) {
            throw new IllegalStateException(base + path + " answers " + answer.statusCode());
        }
    }

    private static HttpResponse<String> expect(HttpResponse<String> answer, int status) {
        if (answer.statusCode() != status) {
            throw new UnexpectedAnswer(answer);
        }
        return answer;
    }

    private static JsonNode parse(String json) {
        try {
            return JSON.readTree(json);
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String encode(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }
}
