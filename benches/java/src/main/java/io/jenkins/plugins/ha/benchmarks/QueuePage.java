package io.jenkins.plugins.ha.benchmarks;

import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.FreestyleJob;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import io.jenkins.plugins.ha.stage.JenkinsController;
import io.jenkins.plugins.ha.stage.JenkinsWar;
import io.jenkins.plugins.ha.stage.RedisConnection;
import io.jenkins.plugins.ha.stage.Stage;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What pages and lists cost on real controllers while many builds wait, beside a Jenkins without
 * the plugin in which as many wait. Prints tables in Markdown.
 */
public final class QueuePage {
    private static final Duration SOON = Duration.ofMinutes(2);
    private static final String JOB = "waits";
    private static final int CHUNK = 500;
    private static final int LATER = 5;
    private static final Pattern CALLS =
            Pattern.compile("cmdstat_([^:]+):calls=(\\d+)", Pattern.CASE_INSENSITIVE);

    private final int items;
    private final String version;
    private final Stage stage;

    private QueuePage(int items, String version, Stage stage) {
        this.items = items;
        this.version = version;
        this.stage = stage;
    }

    public static void main(String[] arguments) {
        JenkinsWar.Search search = JenkinsWar.search();
        if (search.war().isEmpty()) {
            System.err.println("skipped: queue page: " + search.explanation());
            System.out.println("Not measured: " + search.explanation() + ".");
            return;
        }
        int items = arguments.length > 0 && arguments[0].equals("--quick") ? 1000 : 10_000;
        items = Integer.getInteger("bench.items", items);
        try (Stage stage = Stage.open("bench")) {
            stage.redis().start();
            stage.addJenkins(search.war().get(), "a");
            stage.addJenkins(search.war().get(), "b");
            JenkinsController plain = stage.addJenkins(search.war().get(), "plain");
            plain.haPlugin(Optional.empty());
            stage.startControllers();
            stage.awaitMembers(2, SOON);
            new QueuePage(items, search.war().get().version(), stage).measure();
        }
    }

    private void measure() {
        JenkinsClient a = client(0);
        JenkinsClient b = client(1);
        JenkinsClient plain = client(2);
        a.createJob(JOB, new FreestyleJob().parameter("N").quietSeconds(3600).xml());
        Eventually.until("b has the job", SOON, () -> b.hasJob(JOB));
        plain.post("reload", Map.of());
        Eventually.until(
                "plain has the job", SOON, () -> plain.reachable() && plain.hasJob(JOB));

        double[] stored = fill(a);
        double[] storedPlain = fill(plain);
        awaitSeen(a);
        awaitSeen(b);

        System.out.printf(
                Locale.ROOT,
                "%,d builds of one job wait, each with its own parameter; Jenkins %s.%n%n",
                items,
                version);
        System.out.println("| | a (accepted them) | b | Jenkins alone | a : alone | b : alone |");
        System.out.println("| --- | --- | --- | --- | --- | --- |");
        row("`schedule2`, the first 500, ms each", stored[0], Double.NaN, storedPlain[0]);
        row("`schedule2`, the last 500, ms each", stored[1], Double.NaN, storedPlain[1]);
        double[] listA = list(a);
        double[] listB = list(b);
        double[] listPlain = list(plain);
        row("`Queue.getItems()`, first call, ms", listA[0], listB[0], listPlain[0]);
        row("`Queue.getItems()`, later calls, ms", listA[1], listB[1], listPlain[1]);
        page("`/queue/api/json`", "queue/api/json", a, b, plain);
        page("`/queue/api/json?tree=items[id]`", "queue/api/json?tree=items%5Bid%5D", a, b, plain);
        page("front page", "", a, b, plain);
        commands(a, b);
    }

    private JenkinsClient client(int index) {
        return stage.controllers().get(index).client();
    }

    /** Triggers all, as any plugin does; ms for each of the first and of the last ones. */
    private double[] fill(JenkinsClient on) {
        double[] each = new double[2];
        for (int from = 0; from < items; from += CHUNK) {
            double millis =
                    number(
                            on,
                            """
                            def job = jenkins.model.Jenkins.get().getItemByFullName('%s')
                            def began = System.nanoTime()
                            for (int n = %d; n < %d; n++) {
                                def value = new hudson.model.StringParameterValue('N', '' + n)
                                def parameters = new hudson.model.ParametersAction(value)
                                def cause = new hudson.model.CauseAction(new hudson.model.Cause.UserIdCause())
                                if (!jenkins.model.Jenkins.get().queue.schedule2(
                                        job, 3600, [parameters, cause]).created) {
                                    throw new IllegalStateException('not created')
                                }
                            }
                            print((System.nanoTime() - began) / 1e6d)
                            """
                                    .formatted(JOB, from, from + CHUNK));
            if (from == 0) {
                each[0] = millis / CHUNK;
            }
            each[1] = millis / CHUNK;
        }
        return each;
    }

    /** Counts in the plugin's own memory: asking the queue would make what is to be measured. */
    private void awaitSeen(JenkinsClient on) {
        String count =
                "print jenkins.model.Jenkins.get().queue.@membership.view().all().count {"
                        + " it.item().version() > 0 }";
        Eventually.until("all are seen", SOON, () -> number(on, count) == items);
    }

    /** The first call, and the median of later ones, ms. */
    private double[] list(JenkinsClient on) {
        double first = listOnce(on);
        double[] later = new double[LATER];
        for (int i = 0; i < LATER; i++) {
            later[i] = listOnce(on);
        }
        return new double[] {first, median(later)};
    }

    private double listOnce(JenkinsClient on) {
        String script =
                """
                def queue = jenkins.model.Jenkins.get().queue
                def began = System.nanoTime()
                def found = queue.getItems().length
                def ended = System.nanoTime()
                if (found != %d) { throw new IllegalStateException(found + ' items') }
                print((ended - began) / 1e6d)
                """;
        return number(on, script.formatted(items));
    }

    private void page(String what, String path, JenkinsClient... on) {
        double[] first = new double[on.length];
        double[] later = new double[on.length];
        for (int i = 0; i < on.length; i++) {
            first[i] = get(on[i], path);
            double[] all = new double[LATER];
            for (int n = 0; n < LATER; n++) {
                all[n] = get(on[i], path);
            }
            later[i] = median(all);
        }
        row(what + ", first, ms", first[0], first[1], first[2]);
        row(what + ", later, ms", later[0], later[1], later[2]);
    }

    private static double get(JenkinsClient on, String path) {
        long began = System.nanoTime();
        HttpResponse<String> answer = on.get(path);
        double millis = (System.nanoTime() - began) / 1e6;
        if (answer.statusCode() != 200) {
            throw new IllegalStateException(path + " answers " + answer.statusCode());
        }
        return millis;
    }

    /** How many commands Redis gets while nothing is asked, and while lists and pages are. */
    private void commands(JenkinsClient... on) {
        Duration window = Duration.ofSeconds(10);
        long idle = counted(window, () -> {});
        long asked =
                counted(
                        window,
                        () -> {
                            for (JenkinsClient controller : on) {
                                for (int i = 0; i < LATER; i++) {
                                    listOnce(controller);
                                }
                                get(controller, "queue/api/json");
                            }
                        });
        System.out.printf(
                Locale.ROOT,
                "%nCommands that clients sent to Redis in %d s: %,d while nobody asks (heartbeats,"
                        + " waits); %,d in a window with %d calls of `getItems()` and %d of"
                        + " `/queue/api/json`, each listing %,d items.%n",
                window.toSeconds(),
                idle,
                asked,
                on.length * LATER,
                on.length,
                items);
    }

    private long counted(Duration window, Runnable act) {
        try (RedisConnection redis = stage.redis().connect()) {
            redis.call("CONFIG", "RESETSTAT");
            long until = System.nanoTime() + window.toNanos();
            act.run();
            while (System.nanoTime() < until) {
                try {
                    Thread.sleep(20);
                } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                }
            }
            Matcher calls = CALLS.matcher(redis.call("INFO", "commandstats").toString());
            long sum = 0;
            // Of what scripts do inside Redis, only the call of the script came over the network.
            List<String> sent = List.of("evalsha", "xread", "hmget", "get", "exists");
            while (calls.find()) {
                if (sent.contains(calls.group(1))) {
                    sum += Long.parseLong(calls.group(2));
                }
            }
            return sum;
        }
    }

    private static double number(JenkinsClient on, String groovy) {
        HttpResponse<String> answer = on.post("scriptText", Map.of("script", groovy));
        try {
            return Double.parseDouble(answer.body().trim());
        } catch (NumberFormatException e) {
            throw new IllegalStateException(answer.statusCode() + ": " + answer.body(), e);
        }
    }

    private static double median(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return sorted[sorted.length / 2];
    }

    private static void row(String what, double a, double b, double plain) {
        List<String> cells = new ArrayList<>(List.of(what));
        for (double value : new double[] {a, b, plain}) {
            cells.add(Double.isNaN(value) ? "" : String.format(Locale.ROOT, "%,.2f", value));
        }
        for (double value : new double[] {a, b}) {
            cells.add(
                    Double.isNaN(value) ? "" : String.format(Locale.ROOT, "%.2f", value / plain));
        }
        System.out.println("| " + String.join(" | ", cells) + " |");
    }
}
