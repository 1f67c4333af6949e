package io.jenkins.plugins.ha.topology;

import hudson.PluginWrapper;
import hudson.security.AuthorizationStrategy;
import hudson.security.SecurityRealm;
import io.jenkins.plugins.ha.Membership;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import jenkins.model.Jenkins;
import jenkins.slaves.JnlpAgentReceiver;

/**
 * What should be the same on all controllers of a cluster, as one of them says it of itself. What
 * is "" is not known, and differs from nothing.
 *
 * @param jenkins version of its core
 * @param java version of its JVM
 * @param agents tells the key apart under which it makes the secrets of agents
 * @param open {@code true} when whoever has not logged in may administer it, else {@code false}
 * @param realm who can log in: the class and a digest of its settings
 * @param authorization who may do what: the class and a digest of its settings
 * @param plugins versions of the active plugins by their short names
 * @param files digests of the settings that are not carried, by their names; null when not known
 */
public record ControllerFacts(
        String jenkins,
        String java,
        String agents,
        String open,
        String realm,
        String authorization,
        Map<String, String> plugins,
        Map<String, String> files) {
    /** No agent can have this name, so that no agent's secret is told. */
    private static final String NO_AGENT = "ha-jenkins/agents?";

    /** The most differences of one kind that are listed. */
    private static final int LISTED = 10;

    /** Encrypted anew each time that it is written. */
    private static final String SECRET = "\\{[A-Za-z0-9+/]+=*\\}";

    /** This controller, before its security is known: code and scripts may still change it. */
    public static ControllerFacts beforeSecurity() {
        Map<String, String> plugins = new TreeMap<>();
        for (PluginWrapper plugin : Jenkins.get().getPluginManager().getPlugins()) {
            if (plugin.isActive()) {
                plugins.put(plugin.getShortName(), plugin.getVersion());
            }
        }
        return new ControllerFacts(
                Jenkins.VERSION,
                System.getProperty("java.version", ""),
                agentSecrets(),
                "",
                "",
                "",
                plugins,
                null);
    }

    /**
     * Makes the key, where there is none yet: what is copied to the next controller has it then.
     */
    private static String agentSecrets() {
        try {
            return JnlpAgentReceiver.SLAVE_SECRET.mac(NO_AGENT).substring(0, 8);
        } catch (RuntimeException e) {
            return "";
        }
    }

    /** This controller, once Jenkins has booted. */
    public static ControllerFacts here() {
        Jenkins jenkins = Jenkins.get();
        ControllerFacts known = beforeSecurity();
        SecurityRealm realm = jenkins.getSecurityRealm();
        AuthorizationStrategy authorization = jenkins.getAuthorizationStrategy();
        boolean open = jenkins.getACL().hasPermission2(Jenkins.ANONYMOUS2, Jenkins.ADMINISTER);
        return new ControllerFacts(
                known.jenkins,
                known.java,
                known.agents,
                Boolean.toString(open),
                described(realm),
                described(authorization),
                known.plugins,
                Membership.active().map(m -> m.carrying().uncarriedFiles().digests()).orElse(null));
    }

    /** For the cluster: a line for each part. */
    public String toText() {
        return "jenkins="
                + jenkins
                + "\njava="
                + java
                + "\nagents="
                + agents
                + "\nopen="
                + open
                + "\nrealm="
                + realm
                + "\nauthorization="
                + authorization
                + "\nplugins="
                + listed(plugins)
                + (files == null ? "" : "\nfiles=" + listed(files));
    }

    private static String listed(Map<String, String> words) {
        return words.entrySet().stream()
                .map(word -> word.getKey() + ":" + word.getValue())
                .collect(Collectors.joining(","));
    }

    private static Map<String, String> words(String listed) {
        Map<String, String> words = new TreeMap<>();
        for (String word : listed.split(",")) {
            int at = word.indexOf(':');
            if (at > 0) {
                words.put(word.substring(0, at), word.substring(at + 1));
            }
        }
        return words;
    }

    /** Of any version of this plugin: what is missing is not known. */
    public static ControllerFacts ofText(String text) {
        Map<String, String> parts = new TreeMap<>();
        for (String line : text.split("\n")) {
            int at = line.indexOf('=');
            if (at > 0) {
                parts.put(line.substring(0, at), line.substring(at + 1));
            }
        }
        return new ControllerFacts(
                parts.getOrDefault("jenkins", ""),
                parts.getOrDefault("java", ""),
                parts.getOrDefault("agents", ""),
                parts.getOrDefault("open", ""),
                parts.getOrDefault("realm", ""),
                parts.getOrDefault("authorization", ""),
                words(parts.getOrDefault("plugins", "")),
                parts.containsKey("files") ? words(parts.get("files")) : null);
    }

    /** Whether visitors are administrators here and not there. */
    boolean opensWhatIsClosedOn(ControllerFacts other) {
        return open.equals("true") && other.open.equals("false");
    }

    /** How another controller differs from this one, a few words each; empty when it does not. */
    List<String> differences(ControllerFacts other) {
        List<String> found = new ArrayList<>();
        add(found, "Jenkins", jenkins, other.jenkins);
        add(found, "Java", java, other.java);
        if (differ(agents, other.agents)) {
            found.add(
                    "agents have other secrets there: copy"
                            + " secrets/jenkins.slaves.JnlpSlaveAgentProtocol.secret");
        }
        if (!plugins.isEmpty() && !other.plugins.isEmpty()) {
            pluginDifferences(other, found);
        }
        if (other.opensWhatIsClosedOn(this)) {
            found.add("it lets anybody administer it without logging in");
        }
        if (opensWhatIsClosedOn(other)) {
            found.add("this controller lets anybody administer it without logging in");
        }
        if (differ(realm, other.realm)) {
            found.add(
                    "the security realm: "
                            + shortened(realm, other.realm, realm)
                            + " here, "
                            + shortened(realm, other.realm, other.realm)
                            + " there");
        }
        if (differ(authorization, other.authorization)) {
            found.add(
                    "the authorization: "
                            + shortened(authorization, other.authorization, authorization)
                            + " here, "
                            + shortened(authorization, other.authorization, other.authorization)
                            + " there");
        }
        if (files != null && other.files != null) {
            fileDifferences(other, found);
        }
        return found;
    }

    private void fileDifferences(ControllerFacts other, List<String> found) {
        List<String> all = new ArrayList<>();
        TreeSet<String> names = new TreeSet<>(files.keySet());
        names.addAll(other.files.keySet());
        for (String name : names) {
            String own = files.get(name);
            String theirs = other.files.get(name);
            if (!Objects.equals(own, theirs)) {
                all.add(
                        "the setting "
                                + name
                                + ", which is not carried, "
                                + (own == null
                                        ? "is not here"
                                        : theirs == null ? "is not there" : "is another one"));
            }
        }
        addSome(found, all, "settings that are not carried");
    }

    private static void addSome(List<String> found, List<String> all, String what) {
        found.addAll(all.subList(0, Math.min(LISTED, all.size())));
        if (all.size() > LISTED) {
            found.add((all.size() - LISTED) + " more " + what);
        }
    }

    private void pluginDifferences(ControllerFacts other, List<String> found) {
        List<String> all = new ArrayList<>();
        TreeSet<String> names = new TreeSet<>(plugins.keySet());
        names.addAll(other.plugins.keySet());
        for (String name : names) {
            String own = plugins.get(name);
            String theirs = other.plugins.get(name);
            if (own == null) {
                all.add("plugin " + name + " is missing here");
            } else if (theirs == null) {
                all.add("plugin " + name + " is missing there");
            } else {
                add(all, "plugin " + name, own, theirs);
            }
        }
        addSome(found, all, "plugins");
    }

    private static void add(List<String> found, String what, String own, String theirs) {
        if (differ(own, theirs)) {
            found.add(what + ": " + own + " here, " + theirs + " there");
        }
    }

    private static boolean differ(String own, String theirs) {
        return !own.isEmpty() && !theirs.isEmpty() && !own.equals(theirs);
    }

    /** The class alone where the classes differ; where they do not, with the digest. */
    private static String shortened(String own, String theirs, String which) {
        String[] both = {own.replaceAll(" .*", ""), theirs.replaceAll(" .*", "")};
        return both[0].equals(both[1])
                ? which.replace(" ", " with settings ")
                : which.replaceAll(" .*", "");
    }

    /** Class and digest of what Jenkins would save of it, without its secrets. */
    private static String described(Object setting) {
        String name = setting.getClass().getSimpleName();
        ByteArrayOutputStream xml = new ByteArrayOutputStream();
        try {
            Jenkins.XSTREAM2.toXMLUTF8(setting, xml);
            byte[] plain =
                    xml.toString(StandardCharsets.UTF_8)
                            .replaceAll(SECRET, "")
                            .getBytes(StandardCharsets.UTF_8);
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(plain);
            return name + " " + HexFormat.of().formatHex(digest, 0, 4);
        } catch (IOException | NoSuchAlgorithmException | RuntimeException e) {
            return name;
        }
    }
}
