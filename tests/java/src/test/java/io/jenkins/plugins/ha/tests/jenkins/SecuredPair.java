package io.jenkins.plugins.ha.tests.jenkins;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import io.jenkins.plugins.ha.stage.JenkinsController;
import io.jenkins.plugins.ha.stage.JenkinsWar;
import io.jenkins.plugins.ha.stage.Stage;
import io.jenkins.plugins.ha.stage.StoredItem;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.extension.AfterTestExecutionCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * Two real controllers of one cluster where people must log in. {@code admin} may do everything,
 * {@code alice} what a developer may, {@code bob} only reads, {@code dora} only discovers, {@code
 * eve} may log in and no more.
 */
final class SecuredPair implements AutoCloseable {
    /** For what takes a second where nothing else runs. */
    static final Duration SOON = Duration.ofSeconds(60);

    /** The promise "within a second", with the room that a busy machine needs. */
    static final Duration AT_ONCE = Duration.ofSeconds(3);

    static final String[] PIPELINES = {
        "workflow-job", "workflow-cps", "workflow-basic-steps", "workflow-durable-task-step"
    };

    final Stage stage;
    final JenkinsController a;
    final JenkinsController b;

    /** As admin, by API token. */
    final JenkinsClient onA;

    /** As admin, by API token. */
    final JenkinsClient onB;

    private SecuredPair(Stage stage, JenkinsController a, JenkinsController b) {
        this.stage = stage;
        this.a = a;
        this.b = b;
        this.onA = as(a, "admin");
        this.onB = as(b, "admin");
    }

    /** Starts both; skips the test where no Jenkins, plugin file or needed plugin is at hand. */
    static SecuredPair open(String name, String... plugins) {
        return open(name, controller -> {}, plugins);
    }

    /** As {@link #open(String, String...)}, with something to be set on each before. */
    static SecuredPair open(String name, Consumer<JenkinsController> more, String... plugins) {
        JenkinsWar.Search search = JenkinsWar.search();
        assumeTrue(search.war().isPresent(), search.explanation());
        JenkinsWar war = search.war().orElseThrow();
        assumeTrue(
                io.jenkins.plugins.ha.stage.Checkout.plugin().isPresent(),
                "no target/ha-jenkins.hpi: make hpi builds it");
        List<String> needed = new ArrayList<>(Arrays.asList(plugins));
        needed.add("matrix-auth");
        for (String plugin : needed) {
            assumeTrue(
                    war.plugins().map(f -> Files.exists(f.resolve(plugin + ".jpi"))).orElse(false),
                    "no " + plugin + ".jpi beside the war");
        }
        Stage stage = Stage.open(name);
        try {
            stage.redis().start();
            List<JenkinsController> both = new ArrayList<>();
            for (String controller : new String[] {"a", "b"}) {
                both.add(
                        stage.addJenkins(war, controller)
                                .plugins(plugins)
                                .environment("HA_JENKINS_NAME", controller)
                                .user("admin")
                                .user(
                                        "alice",
                                        "hudson.model.Hudson.Read",
                                        "hudson.model.Item.Read",
                                        "hudson.model.Item.Build",
                                        "hudson.model.Item.Cancel",
                                        "hudson.model.Run.Delete")
                                .user("bob", "hudson.model.Hudson.Read", "hudson.model.Item.Read")
                                .user(
                                        "dora",
                                        "hudson.model.Hudson.Read",
                                        "hudson.model.Item.Discover")
                                .user("eve", "hudson.model.Hudson.Read"));
            }
            both.forEach(more);
            stage.startControllers();
            stage.awaitMembers(2, SOON);
            SecuredPair pair = new SecuredPair(stage, both.get(0), both.get(1));
            for (JenkinsClient client : List.of(pair.onA, pair.onB)) {
                groovy(
                        client,
                        "def u = User.getById('alice', false); u.fullName = 'Alice Liddell';"
                                + " u.save()");
            }
            return pair;
        } catch (RuntimeException | Error e) {
            stage.close();
            throw e;
        }
    }

    /** This user by API token, which needs no crumb. */
    static JenkinsClient as(JenkinsController controller, String user) {
        return controller.client().as(user, JenkinsController.token(user));
    }

    /** This user by password, which needs a crumb as a browser does. */
    static JenkinsClient byPassword(JenkinsController controller, String user) {
        return controller.client().as(user, user);
    }

    /** POST with this user's password and without a crumb. */
    static HttpResponse<String> send(
            JenkinsController controller, String method, String user, String path) {
        HttpRequest.Builder request =
                HttpRequest.newBuilder(URI.create(controller.url() + path))
                        .method(method, HttpRequest.BodyPublishers.noBody());
        if (!user.isEmpty()) {
            request.header(
                    "Authorization",
                    "Basic "
                            + Base64.getEncoder()
                                    .encodeToString(
                                            (user + ":" + user).getBytes(StandardCharsets.UTF_8)));
        }
        try {
            return HttpClient.newHttpClient()
                    .send(request.build(), HttpResponse.BodyHandlers.ofString());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** What a script prints or answers, without the "Result: ". */
    static String groovy(JenkinsClient admin, String script) {
        HttpResponse<String> answer = admin.post("scriptText", Map.of("script", script));
        String text = answer.body().strip();
        if (answer.statusCode() != 200 || text.contains("Exception:")) {
            throw new IllegalStateException("script answers " + answer.statusCode() + ": " + text);
        }
        return text.startsWith("Result: ") ? text.substring("Result: ".length()) : text;
    }

    /** Which of the two take builds of the cluster. */
    void takes(boolean aTakes, boolean bTakes) {
        takes(onA, aTakes);
        takes(onB, bTakes);
    }

    private static void takes(JenkinsClient client, boolean takes) {
        groovy(
                client,
                "io.jenkins.plugins.ha.settings.HaConfiguration.get().takesBuilds = "
                        + takes
                        + "; Queue.instance.maintain()");
        if (!takes) { // a claim that was under way with room has been answered
            Eventually.until(
                    client.url() + " offers no room",
                    SOON,
                    () ->
                            groovy(
                                            client,
                                            "io.jenkins.plugins.ha.Membership.active().get()"
                                                    + ".claimer().@offered?.isEmpty()")
                                    .equals("true"));
        }
    }

    /**
     * From now on this controller takes builds of the job but does not give them an executor: they
     * stay claimed. Ends with {@link #letGo}.
     */
    static void hold(JenkinsClient client, String job) {
        groovy(
                client,
                """
                System.setProperty('test.hold.%1$s', 'yes')
                ExtensionList.lookup(hudson.model.queue.QueueTaskDispatcher).add(
                  new hudson.model.queue.QueueTaskDispatcher() {
                    hudson.model.queue.CauseOfBlockage canTake(Node node, Queue.BuildableItem item) {
                      System.getProperty('test.hold.' + item.task.fullName) == null ? null
                        : new hudson.model.queue.CauseOfBlockage() { String getShortDescription() { 'held by the test' } }
                    }
                  })
                """
                        .formatted(job));
    }

    static void letGo(JenkinsClient client, String job) {
        groovy(
                client,
                "System.clearProperty('test.hold."
                        + job
                        + "'); Queue.instance.scheduleMaintenance()");
    }

    /** Creates it on A and waits until B has it. */
    void createJob(String job, String xml) {
        onA.createJob(job, xml);
        Eventually.until(job + " is on B", SOON, () -> onB.hasJob(job));
    }

    /** Triggers it on A and waits until both show it as running. */
    int running(String job) {
        long id = onA.trigger(job);
        int number = onA.awaitBuildNumber(id, SOON);
        for (JenkinsClient client : List.of(onA, onB)) {
            client.awaitBuild(job, number, "runs", SOON, x -> x.path("building").asBoolean());
        }
        return number;
    }

    /** Nothing waits, nothing runs, both take builds as the test class wants: between two tests. */
    void tidy(boolean aTakes, boolean bTakes) {
        Eventually.until(
                "nothing waits and nothing runs",
                SOON,
                () -> {
                    boolean idle = true;
                    for (JenkinsClient client : List.of(onA, onB)) {
                        idle &=
                                groovy(
                                                client,
                                                """
                                                System.properties.keySet().findAll { it.toString().startsWith('test.hold.') }
                                                  .each { System.clearProperty(it) }
                                                Queue.instance.clear()
                                                def busy = Jenkins.get().computers.collectMany { it.allExecutors }.findAll { it.busy }
                                                busy.each { if (it.currentExecutable) it.interrupt(Result.ABORTED) }
                                                busy.size() + Queue.instance.items.length
                                                """)
                                        .equals("0");
                    }
                    return idle;
                });
        takes(aTakes, bTakes);
    }

    /** Prints what both controllers and Redis say, where a test has failed. */
    static final class Explain implements AfterTestExecutionCallback {
        private final Supplier<SecuredPair> pair;

        Explain(Supplier<SecuredPair> pair) {
            this.pair = pair;
        }

        @Override
        public void afterTestExecution(ExtensionContext context) {
            if (context.getExecutionException().isPresent() && pair.get() != null) {
                pair.get().explain();
            }
        }
    }

    private void explain() {
        String prefix = "{haj:" + stage.cluster() + "}:";
        for (Object id : (List<?>) stage.redis().call("ZRANGE", prefix + "live", "0", "-1")) {
            List<Object> said = new ArrayList<>();
            for (String field :
                    "job state version lane blocked owner epoch attempts number why cancel due"
                            .split(" ")) {
                said.add(field + "=" + item(Long.parseLong(id.toString()), field));
            }
            System.out.println("  redis: item " + id + " " + said);
        }
        List<?> events =
                (List<?>)
                        stage.redis().call("XREVRANGE", prefix + "events", "+", "-", "COUNT", "30");
        for (Object event : events) {
            String text = event.toString().replaceAll("\\s+", " ");
            if (!text.contains("k, a")) {
                System.out.println("  event: " + text.replaceAll("[0-9a-f-]{36}", "*"));
            }
        }
        for (JenkinsClient client : List.of(onA, onB)) {
            System.out.println(
                    "  "
                            + client.url()
                            + groovy(
                                            client,
                                            """
                                            Queue.instance.items.each { println "  queue: ${it} ${it.why}" }
                                            Jenkins.get().computers.collectMany { it.allExecutors }.findAll { it.busy }
                                              .each { println "  executor: ${it} ${it.currentExecutable}" }
                                            println io.jenkins.plugins.ha.Membership.active().get().link()
                                            println io.jenkins.plugins.ha.settings.HaConfiguration.get().takesBuilds
                                            """)
                                    .replace("\n", "\n    "));
        }
    }

    /** The field of the cluster's own record of an item. */
    String item(long id, String field) {
        return StoredItem.part(stage.redis(), stage.cluster(), id, field);
    }

    /** Waits until the cluster says that the item is in this state. */
    void awaitState(long id, String state) {
        Eventually.until(
                "item " + id + " is " + state, SOON, () -> item(id, "state").equals(state));
    }

    Path builds(String job) {
        Path folder = stage.shared().jobs();
        String[] parts = job.split("/");
        for (int i = 0; i < parts.length; i++) {
            folder = i == 0 ? folder.resolve(parts[i]) : folder.resolve("jobs").resolve(parts[i]);
        }
        return folder.resolve("builds");
    }

    static List<JsonNode> list(JsonNode array) {
        return StreamSupport.stream(array.spliterator(), false).toList();
    }

    /** For the closing note. */
    static void figure(String name, Object value) {
        System.out.println("figure: " + name + " " + value);
    }

    @Override
    public void close() {
        stage.close();
    }
}
