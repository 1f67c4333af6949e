package io.jenkins.plugins.ha.stage;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * A real Jenkins in a process of its own, with its own JENKINS_HOME, and {@code jobs} and {@code
 * secrets} shared. Configure it, then {@link #start()}; what is configured later counts from the
 * next start.
 */
public final class JenkinsController extends Controller {
    /** The newest Java that {@link JenkinsWar#PINNED} starts on without being told so. */
    private static final int NEWEST_SUPPORTED = 21;

    private final JenkinsWar war;
    private final SharedFolder shared;
    private final Set<String> plugins = new LinkedHashSet<>();
    private final Map<String, String> environment = new LinkedHashMap<>();
    private final Map<String, String> properties = new LinkedHashMap<>();
    private final List<String> jvmOptions = new ArrayList<>();
    private final Map<String, List<String>> users = new LinkedHashMap<>();
    private Optional<Path> haPlugin = Checkout.plugin();
    private boolean extensions;
    private int executors = 2;
    private int quietSeconds;

    /** A controller that is not started yet. */
    public JenkinsController(JenkinsWar war, String name, Path home, SharedFolder shared) {
        super(name, home);
        this.war = war;
        this.shared = shared;
    }

    /** Executors of the built-in node, 2 if nobody says otherwise. */
    public JenkinsController executors(int executors) {
        this.executors = executors;
        return this;
    }

    /**
     * Quiet period of jobs that do not set their own, 0 if nobody says otherwise (Jenkins' own
     * default is 5).
     */
    public JenkinsController quietSeconds(int quietSeconds) {
        this.quietSeconds = quietSeconds;
        return this;
    }

    /** Plugins by short name, with all they need, out of the folder beside the war. */
    public JenkinsController plugins(String... shortNames) {
        plugins.addAll(Arrays.asList(shortNames));
        return this;
    }

    /** Another file than {@link Checkout#plugin()} as our plugin; empty: none, or uninstall it. */
    public JenkinsController haPlugin(Optional<Path> file) {
        haPlugin = file;
        return this;
    }

    /** With the throw-away extensions of {@link Checkout#extensions()}. */
    public JenkinsController extensions() {
        extensions = true;
        return this;
    }

    /** An environment variable of the process. */
    public JenkinsController environment(String name, String value) {
        environment.put(name, value);
        return this;
    }

    /** A system property of its JVM. */
    public JenkinsController property(String name, String value) {
        properties.put(name, value);
        return this;
    }

    /** Another option of its JVM. */
    public JenkinsController jvmOption(String option) {
        jvmOptions.add(option);
        return this;
    }

    /** Joins this cluster, by the environment as in a container. */
    public JenkinsController cluster(String cluster, String redisUrl) {
        return environment("HA_JENKINS_CLUSTER", cluster)
                .environment("HA_JENKINS_REDIS_URL", redisUrl)
                .environment("HA_JENKINS_NAME", name());
    }

    /**
     * Adds a user; from the first one on, people must log in. The password is the name, and {@link
     * #token} an API token.
     *
     * @param permissions ids such as {@code hudson.model.Item.Build}; needs plugin matrix-auth,
     *     which is added. None: this one may do everything, and without any user with permissions
     *     so may all who are logged in
     */
    public JenkinsController user(String name, String... permissions) {
        if (permissions.length > 0) {
            plugins("matrix-auth");
        }
        users.put(name, List.of(permissions));
        return this;
    }

    /** The API token of a user made by {@link #user}; needs no crumb. */
    public static String token(String user) {
        try {
            byte[] hash =
                    MessageDigest.getInstance("SHA-256")
                            .digest(user.getBytes(StandardCharsets.UTF_8));
            // 11 is the version of Jenkins' token format.
            return "11" + HexFormat.of().formatHex(hash, 0, 16);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    void prepare() {
        shared.linkInto(home());
        Path configuration = home().resolve("config.xml");
        try {
            if (!Files.exists(configuration)) {
                Files.writeString(configuration, configXml());
                Files.writeString(
                        home().resolve("jenkins.model.JenkinsLocationConfiguration.xml"),
                        "<?xml version='1.1' encoding='UTF-8'?>\n"
                                + "<jenkins.model.JenkinsLocationConfiguration><jenkinsUrl>"
                                + url()
                                + "</jenkinsUrl></jenkins.model.JenkinsLocationConfiguration>\n");
            }
            Path scripts = Files.createDirectories(home().resolve("init.groovy.d"));
            if (users.isEmpty()) {
                Files.deleteIfExists(scripts.resolve("users.groovy"));
            } else {
                Files.writeString(scripts.resolve("users.groovy"), usersGroovy());
            }
            installPlugins(Files.createDirectories(home().resolve("plugins")));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    List<String> command() {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        // Quick to start and small, for two of them beside a build on a small machine.
        command.addAll(List.of("-Xmx512m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"));
        command.add("-Djava.awt.headless=true");
        command.add("-Djenkins.install.runSetupWizard=false");
        command.add("-Djenkins.model.Jenkins.slaveAgentPort=-1");
        // Nobody asks the internet for updates or sends statistics.
        command.add("-Dhudson.model.UpdateCenter.never=true");
        command.add("-Dhudson.model.DownloadService.never=true");
        command.add("-Dhudson.model.UsageStatistics.disabled=true");
        command.add("-Djenkins.telemetry.Telemetry.endpoint=http://127.0.0.1:9/");
        properties.forEach((key, value) -> command.add("-D" + key + "=" + value));
        if (Runtime.version().feature() >= 24) {
            // As docs/compatibility.md says: the plugin has a library in machine code.
            command.add("--enable-native-access=ALL-UNNAMED");
        }
        command.addAll(jvmOptions);
        command.addAll(List.of("-jar", war.file().toString()));
        if (Runtime.version().feature() > NEWEST_SUPPORTED) {
            command.add("--enable-future-java");
        }
        command.add("--httpListenAddress=127.0.0.1");
        command.add("--httpPort=" + port());
        // Half a second and 86 MB: not worth sharing between controllers.
        command.add("--webroot=" + home().resolve("war"));
        return command;
    }

    @Override
    Map<String, String> environment() {
        Map<String, String> all = new LinkedHashMap<>(environment);
        all.put("JENKINS_HOME", home().toAbsolutePath().toString());
        return all;
    }

    /** A Jenkins that cannot boot goes on to serve 500 on every page. */
    @Override
    Optional<String> bootFailure(String log) {
        int at = log.indexOf("hudson.util.BootFailure#publish");
        return at < 0
                ? Optional.empty()
                : Optional.of(
                        log.substring(at)
                                .lines()
                                .filter(line -> !line.startsWith("\tat "))
                                .limit(4)
                                .collect(Collectors.joining("\n")));
    }

    @Override
    void up() {
        shared.adoptKeysOf(home());
    }

    private void installPlugins(Path folder) throws IOException {
        for (Path file : war.pluginsWithDependencies(plugins)) {
            String name = file.getFileName().toString();
            install(file, folder.resolve(name.substring(0, name.lastIndexOf('.')) + ".jpi"));
        }
        if (extensions) {
            install(
                    Checkout.extensions()
                            .orElseThrow(
                                    () ->
                                            new IllegalStateException(
                                                    "no target/ha-test-extensions.hpi: make hpi"
                                                            + " builds it")),
                    folder.resolve("ha-test-extensions.jpi"));
        }
        Path ours = folder.resolve("ha-jenkins.jpi");
        if (haPlugin.isPresent()) {
            install(haPlugin.get(), ours);
        } else {
            Files.deleteIfExists(ours);
        }
    }

    /** Unchanged ones are left alone: Jenkins unpacks again when the time of the file differs. */
    private static void install(Path file, Path to) throws IOException {
        BasicFileAttributes from = Files.readAttributes(file, BasicFileAttributes.class);
        if (Files.exists(to)
                && Files.size(to) == from.size()
                && Files.getLastModifiedTime(to).equals(from.lastModifiedTime())) {
            return;
        }
        Files.copy(
                file, to, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.COPY_ATTRIBUTES);
    }

    private String configXml() {
        return "<?xml version='1.1' encoding='UTF-8'?>\n"
                + "<hudson>\n"
                + "  <version>"
                + war.version()
                + "</version>\n"
                + "  <numExecutors>"
                + executors
                + "</numExecutors>\n"
                + "  <mode>NORMAL</mode>\n"
                + "  <workspaceDir>${JENKINS_HOME}/workspace/${ITEM_FULL_NAME}</workspaceDir>\n"
                + "  <buildsDir>${ITEM_ROOTDIR}/builds</buildsDir>\n"
                + "  <quietPeriod>"
                + quietSeconds
                + "</quietPeriod>\n"
                + "  <slaveAgentPort>-1</slaveAgentPort>\n"
                + "  <crumbIssuer class=\"hudson.security.csrf.DefaultCrumbIssuer\">\n"
                + "    <excludeClientIPFromCrumb>false</excludeClientIPFromCrumb>\n"
                + "  </crumbIssuer>\n"
                + "</hudson>\n";
    }

    private String usersGroovy() {
        StringBuilder script =
                new StringBuilder(
                        "import hudson.security.*\n"
                                + "def j = jenkins.model.Jenkins.get()\n"
                                + "def realm = new HudsonPrivateSecurityRealm(false)\n"
                                + "j.setSecurityRealm(realm)\n");
        boolean matrix = users.values().stream().anyMatch(p -> !p.isEmpty());
        script.append(
                matrix
                        ? "def strategy = new GlobalMatrixAuthorizationStrategy()\n"
                        : "def strategy = new FullControlOnceLoggedInAuthorizationStrategy()\n"
                                + "strategy.setAllowAnonymousRead(false)\n");
        users.forEach(
                (user, permissions) -> {
                    script.append(
                            "if (hudson.model.User.getById('%1$s', false) == null) {\n"
                                    .formatted(user));
                    script.append(
                            "  def u = realm.createAccount('%1$s', '%1$s')\n".formatted(user));
                    script.append(
                            "  u.getProperty(jenkins.security.ApiTokenProperty).addFixedNewToken('stage', '%s')\n"
                                    .formatted(token(user)));
                    script.append("  u.save()\n}\n");
                    if (matrix) {
                        List<String> all =
                                permissions.isEmpty()
                                        ? List.of("hudson.model.Hudson.Administer")
                                        : permissions;
                        for (String permission : all) {
                            script.append(
                                    "strategy.add(Permission.fromId('%s'), '%s')\n"
                                            .formatted(permission, user));
                        }
                    }
                });
        return script.append("j.setAuthorizationStrategy(strategy)\nj.save()\n").toString();
    }
}
