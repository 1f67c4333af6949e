package io.jenkins.plugins.ha.stage;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;

/**
 * Starts Redis and real controllers on fixed ports, and leaves them running until standard input
 * ends or the process gets SIGTERM. For trying things by hand; {@code --help} says how.
 */
public final class Playground {
    private static final String HELP =
            """
            Playground [option ...]
              --port=N            a controller on this port; once per controller (default 18081 and 18082)
              --redis-port=N      Redis on this port (default 16379)
              --keep=FOLDER       homes, jobs and Redis data live there and stay (default: a temp folder)
              --hpi=FILE          our plugin (default target/ha-jenkins.hpi; 'none' for plain controllers)
              --plugins=A,B       further plugins by short name, e.g. workflow-aggregator,matrix-project
              --executors=N       per controller (default 2)
              --quiet=SECONDS     quiet period (default 0)
              --user=NAME[:P,..]  a user with password NAME and these permissions (none: all), e.g.
                                  --user=alice:hudson.model.Hudson.Read,hudson.model.Item.Read
              --property=K=V      a system property of each controller
              --jvm=OPTION        an option of each controller's JVM, e.g. -Xcheck:jni
              --stand-ins         stand-ins instead of real controllers
              --no-stdin          ends by SIGTERM only, not with standard input
            """;

    private Playground() {}

    public static void main(String[] args) throws IOException, InterruptedException {
        List<Integer> ports = new ArrayList<>();
        List<String> users = new ArrayList<>();
        List<String> properties = new ArrayList<>();
        List<String> jvm = new ArrayList<>();
        int redisPort = 16379;
        Path keep = null;
        Optional<Path> hpi = Checkout.plugin();
        String[] plugins = {};
        int executors = 2;
        int quiet = 0;
        boolean standins = false;
        boolean stdin = true;
        for (String arg : args) {
            String value = arg.substring(arg.indexOf('=') + 1);
            switch (arg.contains("=") ? arg.substring(0, arg.indexOf('=')) : arg) {
                case "--port" -> ports.add(Integer.valueOf(value));
                case "--redis-port" -> redisPort = Integer.parseInt(value);
                case "--keep" -> keep = Path.of(value);
                case "--hpi" ->
                        hpi = value.equals("none") ? Optional.empty() : Optional.of(Path.of(value));
                case "--plugins" -> plugins = value.split(",");
                case "--executors" -> executors = Integer.parseInt(value);
                case "--quiet" -> quiet = Integer.parseInt(value);
                case "--user" -> users.add(value);
                case "--property" -> properties.add(value);
                case "--jvm" -> jvm.add(value);
                case "--stand-ins" -> standins = true;
                case "--no-stdin" -> stdin = false;
                default -> {
                    System.out.print(HELP);
                    System.exit(arg.equals("--help") ? 0 : 2);
                }
            }
        }
        if (ports.isEmpty()) {
            ports.addAll(List.of(18081, 18082));
        }
        JenkinsWar.Search search = JenkinsWar.search();
        if (!standins && search.war().isEmpty()) {
            System.err.println(search.explanation());
            System.exit(1);
        }
        Stage stage = keep == null ? Stage.open("playground") : Stage.at(keep);
        stage.redis().port(redisPort).start();
        for (int i = 0; i < ports.size(); i++) {
            String name = Character.toString('a' + i);
            if (standins) {
                stage.addStandin(name).executors(executors).port(ports.get(i));
                continue;
            }
            JenkinsController controller = stage.addJenkins(search.war().orElseThrow(), name);
            controller.executors(executors).quietSeconds(quiet).plugins(plugins).haPlugin(hpi);
            for (String user : users) {
                String[] parts = user.split(":", 2);
                controller.user(parts[0], parts.length > 1 ? parts[1].split(",") : new String[0]);
            }
            for (String property : properties) {
                String[] parts = property.split("=", 2);
                controller.property(parts[0], parts.length > 1 ? parts[1] : "");
            }
            jvm.forEach(controller::jvmOption);
            controller.port(ports.get(i));
        }
        System.out.println(standins ? "stand-ins" : search.explanation());
        System.out.println("plugin  " + hpi.map(Path::toString).orElse("none"));
        System.out.println("redis   " + stage.redis().url() + "  pid " + stage.redis().pid());
        stage.startControllers();
        for (Controller controller : stage.controllers()) {
            System.out.printf(
                    "%-7s %s  pid %d  home %s  log %s%n",
                    controller.name(),
                    controller.url(),
                    controller.pid(),
                    controller.home(),
                    controller.log());
        }
        System.out.println(
                "Up. "
                        + (stdin
                                ? "Enter or end of input stops everything."
                                : "SIGTERM stops everything."));
        if (stdin) {
            System.in.read();
        } else {
            new CountDownLatch(1).await();
        }
        stage.close();
    }
}
