package io.jenkins.plugins.ha.benchmarks;

import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.FreestyleJob;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import io.jenkins.plugins.ha.stage.JenkinsController;
import io.jenkins.plugins.ha.stage.JenkinsWar;
import io.jenkins.plugins.ha.stage.PostgresServer;
import io.jenkins.plugins.ha.stage.Stage;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.function.IntFunction;

/**
 * What a long history costs on a real controller with build records in PostgreSQL, beside a Jenkins
 * without the plugin on the very same builds. Prints tables in Markdown.
 */
public final class BuildHistory {
    private static final Duration SOON = Duration.ofMinutes(3);
    private static final String JOB = "big";

    /** The newest ones failed: who asks for the last successful one has to go past them. */
    private static final int FAILED = 20;

    /** So many of them a plain Jenkins reads in one request before that takes minutes. */
    private static final int WALKED = 10_000;

    private final int builds;
    private final int rows;
    private final int rounds;
    private final int starts;
    private final Stage stage;
    private final JenkinsController plain;
    private final JenkinsController ours;

    /** The p50 and p95 of each request, by what it is; empty where there is no such request. */
    private final Map<String, Map<String, double[]>> requests = new LinkedHashMap<>();

    private BuildHistory(boolean quick, Stage stage, JenkinsWar war) {
        this.builds = Integer.getInteger("bench.builds", quick ? 2_000 : 100_000);
        this.rows = Integer.getInteger("bench.rows", quick ? 20_000 : 1_000_000);
        this.rounds = quick ? 20 : 200;
        this.starts = quick ? 1 : 3;
        this.stage = stage;
        this.plain = stage.addJenkins(war, "plain").cluster("", "").haPlugin(Optional.empty());
        this.ours =
                stage.addJenkins(war, "ours")
                        .environment("HA_JENKINS_DATABASE_URL", stage.postgres().url())
                        .environment("HA_JENKINS_DATABASE_PASSWORD", stage.postgres().password());
    }

    public static void main(String[] arguments) throws IOException {
        JenkinsWar.Search search = JenkinsWar.search();
        if (search.war().isEmpty()) {
            System.err.println("skipped: build history: " + search.explanation());
            System.out.println("Not measured: " + search.explanation() + ".");
            return;
        }
        boolean quick = arguments.length > 0 && arguments[0].equals("--quick");
        try (Stage stage = Stage.open("bench-history")) {
            stage.redis().start();
            stage.postgres().start();
            new BuildHistory(quick, stage, search.war().get())
                    .measure(search.war().get().version());
        }
    }

    private void measure(String version) throws IOException {
        // First with one build only.
        up(plain);
        plain.client().createJob(JOB, new FreestyleJob().xml());
        long id = plain.client().trigger(JOB);
        plain.client().awaitBuildNumber(id, SOON);
        plain.client().awaitResult(JOB, 1, SOON);
        double[] heapFew = {heap(plain), 0};
        plain.stop();
        up(ours);
        Eventually.until("it is taken over", SOON, () -> recorded() == 1);
        heapFew[1] = heap(ours);
        ours.stop();
        multiply();

        double[] plainStart = new double[starts];
        double[] oursStart = new double[starts];
        double[] heapMany = new double[2];
        double[] heapAfter = new double[2];
        double walked = 0;
        for (int i = 0; i < starts; i++) {
            plainStart[i] = up(plain);
            if (i == starts - 1) {
                heapMany[0] = heap(plain);
                ask(plain, "alone");
                heapAfter[0] = heap(plain);
                walked = walk();
            }
            plain.stop();
            oursStart[i] = up(ours);
            if (i == starts - 1) {
                heapMany[1] = heap(ours);
                ask(ours, "with records");
                heapAfter[1] = heap(ours);
                askRecords();
            }
            ours.stop();
        }

        System.out.printf(
                Locale.ROOT,
                "%,d builds of one job on disk, %,d rows in PostgreSQL; Jenkins %s. The newest %d"
                        + " builds failed. %d requests of each kind over HTTP, ms.%n%n",
                builds,
                rows,
                version,
                FAILED,
                rounds);
        System.out.println(
                "| | Jenkins alone p50 | p95 | with records p50 | p95 | `/ha-builds/` p50 | p95 |");
        System.out.println("| --- | --- | --- | --- | --- | --- | --- |");
        requests.forEach(
                (what, by) -> {
                    List<String> cells = new ArrayList<>(List.of(what));
                    for (String who : List.of("alone", "with records", "api")) {
                        double[] times = by.get(who);
                        cells.add(times == null ? "" : number(times[0]));
                        cells.add(times == null ? "" : number(times[1]));
                    }
                    System.out.println("| " + String.join(" | ", cells) + " |");
                });
        System.out.printf(
                Locale.ROOT,
                "%nJenkins alone has no search; to read the causes of the job's newest %,d builds"
                        + " once takes it %,.0f ms.%n%n",
                Math.min(WALKED, builds),
                walked);
        System.out.println("| | Jenkins alone | with records |");
        System.out.println("| --- | --- | --- |");
        row(
                "start until pages are served, s, median of " + starts,
                median(plainStart),
                median(oursStart));
        row("heap after a start with 1 build, MB", heapFew[0], heapFew[1]);
        row(
                "heap after a start with " + number(builds).replace(".00", "") + " builds, MB",
                heapMany[0],
                heapMany[1]);
        row("heap after the requests, MB", heapAfter[0], heapAfter[1]);
    }

    // ---- the history

    /** Makes all other builds out of the first, on disk and in the database. */
    private void multiply() throws IOException {
        Path folder = stage.shared().jobs().resolve(JOB + "/builds");
        String xml =
                Files.readString(folder.resolve("1/build.xml"))
                        .replaceFirst(
                                "<hudson.model.Cause_-UserIdCause */>",
                                "<hudson.model.Cause_-UserIdCause><userId>ada</userId></hudson.model.Cause_-UserIdCause>");
        String failed = xml.replace("<result>SUCCESS", "<result>FAILURE");
        for (int number = 2; number <= builds; number++) {
            Path build = Files.createDirectory(folder.resolve(Integer.toString(number)));
            Files.writeString(build.resolve("build.xml"), number > builds - FAILED ? failed : xml);
        }
        Files.writeString(folder.resolveSibling("nextBuildNumber"), (builds + 1) + "\n");

        PostgresServer postgres = stage.postgres();
        String job = "(SELECT id FROM ha_job WHERE full_name = '" + JOB + "')";
        postgres.rows(
                "INSERT INTO ha_job (cluster_id, full_name) SELECT 1, 'team/job-' || n FROM"
                        + " generate_series(1, 1000) n");
        String columns =
                "job_id, number, cluster_id, state, version, queue_id, controller_id,"
                        + " controller_name, incarnation, epoch, result, started, duration,"
                        + " display_name, description, keep, agent, causes, cause_search, users,"
                        + " parameters, commits";
        String rest =
                "1, 1, 1, 0, '', '', '', 0, %s, 1700000000000 + n * 1000, 60000, '', '', 0,"
                    + " 'agent-' || n %% 50, '[\"Started by user Ada\"]', 'started by user ada',"
                    + " %s, '[]', '[]'";
        String users = "CASE WHEN n % 5000 = 0 THEN '[\"rare\"]' ELSE '[\"ada\"]' END";
        postgres.rows(
                "INSERT INTO ha_build ("
                        + columns
                        + ") SELECT "
                        + job
                        + ", n, "
                        + rest.formatted(
                                "CASE WHEN n > "
                                        + (builds - FAILED)
                                        + " THEN 'FAILURE' ELSE 'SUCCESS' END",
                                users)
                        + " FROM generate_series(2, "
                        + builds
                        + ") n");
        postgres.rows(
                "INSERT INTO ha_build_xml SELECT x.job_id, n, x.content, x.size, x.sha256 FROM"
                        + " ha_build_xml x, generate_series(2, "
                        + builds
                        + ") n WHERE x.number = 1 AND x.job_id = "
                        + job);
        postgres.rows(
                "INSERT INTO ha_build ("
                        + columns
                        + ") SELECT (SELECT MIN(id) FROM ha_job WHERE full_name LIKE 'team/%') + n"
                        + " % 1000, n, "
                        + rest.formatted("'SUCCESS'", users)
                        + " FROM generate_series("
                        + (builds + 1)
                        + ", "
                        + Math.max(builds, rows)
                        + ") n");
        for (String tag :
                List.of(
                        "1, CASE WHEN users = '[\"rare\"]' THEN 'rare' ELSE 'ada' END",
                        "6, agent")) {
            postgres.rows(
                    "INSERT INTO ha_build_tag (cluster_id, kind, value, started, job_id, number)"
                            + " SELECT 1, "
                            + tag
                            + ", started, job_id, number FROM ha_build WHERE agent <> ''");
        }
        postgres.rows("VACUUM ANALYZE");
    }

    private int recorded() {
        return Integer.parseInt(stage.postgres().rows("SELECT COUNT(*) FROM ha_build").get(0));
    }

    // ---- what is asked

    private void ask(JenkinsController controller, String who) {
        JenkinsClient on = controller.client();
        Random random = new Random(7);
        time(
                "first page of the history",
                who,
                on,
                i ->
                        "job/big/api/json?tree=builds%5Bnumber,result,timestamp,duration%5D%7B0,40%7D");
        time("the job's page", who, on, i -> "job/big/");
        time(
                "one build by number",
                who,
                on,
                i -> "job/big/" + (1 + random.nextInt(builds)) + "/api/json?tree=number,result");
        time("last successful", who, on, i -> "job/big/lastSuccessfulBuild/api/json?tree=number");
    }

    private void askRecords() {
        JenkinsClient on = ours.client();
        Random random = new Random(7);
        String api = "ha-builds/api/json?limit=";
        time("first page of the history", "api", on, i -> api + "40&job=big");
        time(
                "one build by number",
                "api",
                on,
                i -> api + "1&job=big&after=n" + (2 + random.nextInt(builds)));
        time("last successful", "api", on, i -> api + "1&job=big&result=SUCCESS");
        time("search by user, few builds", "api", on, i -> api + "40&user=rare");
        time("search by user, most builds", "api", on, i -> api + "40&user=ada");
    }

    private void time(String what, String who, JenkinsClient on, IntFunction<String> path) {
        double[] times = new double[rounds];
        for (int i = -rounds / 4; i < rounds; i++) {
            double millis = get(on, path.apply(i));
            if (i >= 0) {
                times[i] = millis;
            }
        }
        Arrays.sort(times);
        requests.computeIfAbsent(what, w -> new LinkedHashMap<>())
                .put(who, new double[] {times[rounds / 2], times[rounds * 95 / 100]});
    }

    /** What somebody does who looks for a user's builds without records. */
    private double walk() {
        return get(
                plain.client(),
                "job/big/api/json?tree=allBuilds%5Bnumber,actions%5Bcauses%5BuserId%5D%5D%5D%7B0,"
                        + WALKED
                        + "%7D");
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

    /** Starts it; s until it serves pages. */
    private static double up(JenkinsController controller) {
        long began = System.nanoTime();
        controller.start();
        controller.awaitUp(SOON);
        return (System.nanoTime() - began) / 1e9;
    }

    /** What is in use when all that can be has been thrown away, MB. */
    private static double heap(JenkinsController controller) {
        String script =
                "3.times { System.gc(); Thread.sleep(200) }; def r = Runtime.runtime;"
                        + " print((r.totalMemory() - r.freeMemory()) / 1048576d)";
        HttpResponse<String> answer =
                controller.client().post("scriptText", Map.of("script", script));
        return Double.parseDouble(answer.body().trim());
    }

    private static double median(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return sorted[sorted.length / 2];
    }

    private static void row(String what, double alone, double records) {
        System.out.println("| " + what + " | " + number(alone) + " | " + number(records) + " |");
    }

    private static String number(double value) {
        return String.format(Locale.ROOT, "%,.2f", value);
    }
}
