package io.jenkins.plugins.ha.stage;

import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * A stand-in controller in a process of its own: a JVM on the same bridge and library, without
 * Jenkins. The module ha-jenkins-standin must be on the class path.
 */
public final class StandinController extends Controller {
    private static final String MAIN = "io.jenkins.plugins.ha.standin.Main";

    private final SharedFolder shared;
    private final Map<String, String> environment = new LinkedHashMap<>();
    private int executors = 2;
    private int claimAhead;
    private long heartbeatMillis = 1000;
    private long leaseMillis = 5000;
    private String defect = "";
    private List<String> jvmOptions = List.of();

    /** A stand-in that is not started yet. */
    public StandinController(
            String name, Path home, SharedFolder shared, String cluster, String redisUrl) {
        super(name, home);
        this.shared = shared;
        environment.put("HA_JENKINS_CLUSTER", cluster);
        environment.put("HA_JENKINS_REDIS_URL", redisUrl);
    }

    /** Reaches Redis here instead, as over a {@link FaultyLine}. */
    public StandinController redis(String url) {
        environment.put("HA_JENKINS_REDIS_URL", url);
        return this;
    }

    /** Records builds in this database. */
    public StandinController database(String url, String password) {
        environment.put("HA_JENKINS_DATABASE_URL", url);
        environment.put("HA_JENKINS_DATABASE_PASSWORD", password);
        return this;
    }

    /** Does something wrong on purpose: the name of one of the stand-in's defects. */
    public StandinController defect(String defect) {
        this.defect = defect;
        return this;
    }

    /** How many builds it runs at the same time, 2 if nobody says otherwise. */
    public StandinController executors(int executors) {
        this.executors = executors;
        return this;
    }

    /** How many items it claims beyond its executors; they wait in it, claimed and not started. */
    public StandinController claimAhead(int items) {
        this.claimAhead = items;
        return this;
    }

    /** Other times than the defaults of the product. */
    public StandinController lease(long heartbeatMillis, long leaseMillis) {
        this.heartbeatMillis = heartbeatMillis;
        this.leaseMillis = leaseMillis;
        return this;
    }

    /** Options of its JVM. */
    public StandinController jvmOptions(String... options) {
        jvmOptions = List.of(options);
        return this;
    }

    @Override
    void prepare() {
        shared.linkInto(home());
    }

    @Override
    List<String> command() {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("-Xmx128m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"));
        command.add("-Dha.jenkins.library=" + Checkout.library());
        command.addAll(jvmOptions);
        command.addAll(List.of("-cp", classPath(), MAIN));
        command.add("--name=" + name());
        command.add("--home=" + home().toAbsolutePath());
        command.add("--port=" + port());
        command.add("--executors=" + executors);
        command.add("--claim-ahead=" + claimAhead);
        command.add("--heartbeat=" + heartbeatMillis);
        command.add("--lease=" + leaseMillis);
        if (!defect.isEmpty()) {
            command.add("--defect=" + defect);
        }
        return command;
    }

    @Override
    Map<String, String> environment() {
        return environment;
    }

    /** By where the classes come from: the class path of this JVM may be Maven's. */
    private static String classPath() {
        Set<String> places = new LinkedHashSet<>();
        for (String type :
                List.of(
                        MAIN,
                        "io.jenkins.plugins.ha.bridge.Cluster",
                        "com.fasterxml.jackson.databind.ObjectMapper",
                        "com.fasterxml.jackson.core.JsonFactory",
                        "com.fasterxml.jackson.annotation.JsonProperty")) {
            try {
                Class<?> loaded =
                        Class.forName(type, false, StandinController.class.getClassLoader());
                places.add(
                        Path.of(loaded.getProtectionDomain().getCodeSource().getLocation().toURI())
                                .toString());
            } catch (ClassNotFoundException e) {
                throw new IllegalStateException("ha-jenkins-standin is not on the class path", e);
            } catch (URISyntaxException e) {
                throw new IllegalStateException(e);
            }
        }
        return places.stream().collect(Collectors.joining(":"));
    }
}
