package io.jenkins.plugins.ha.tests.jenkins;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.jenkins.plugins.ha.stage.Eventually;
import io.jenkins.plugins.ha.stage.JenkinsClient;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/** What a controller has in memory of a job or folder, as opposed to what the file says. */
final class JobForms {
    /**
     * The promise: a change is in force everywhere within this time; with room for a busy machine.
     */
    static final Duration IN_FORCE = Duration.ofSeconds(10);

    private JobForms() {}

    /** The XML that this controller would write now; "" when it has no such item. */
    static String of(JenkinsClient on, String item) {
        return TwoControllers.script(
                        on,
                        """
                        def item = Jenkins.get().getItemByFullName('%s')
                        if (item != null) {
                          def out = new StringWriter()
                          def xstream = new hudson.util.XStream2()
                          xstream.alias('project', FreeStyleProject)
                          xstream.marshal(item, new com.thoughtworks.xstream.io.xml.PrettyPrintWriter(out))
                          print(out)
                        }
                        """
                                .formatted(item))
                // made when somebody first asks for them, on one Jenkins too
                .replaceFirst("\\s*<actions/>", "")
                .strip();
    }

    /** Runs a script on the item, called {@code item}, and saves nothing by itself. */
    static String on(JenkinsClient client, String item, String groovy) {
        return TwoControllers.script(
                        client,
                        "def item = Jenkins.get().getItemByFullName('%s'); %s"
                                .formatted(item, groovy))
                .strip();
    }

    /** Waits until both have the same form of it in memory; how long that took. */
    static Duration awaitSame(TwoControllers both, String item) {
        return awaitSame(both.a(), both.b(), item);
    }

    /** As {@link #awaitSame(TwoControllers, String)}. */
    static Duration awaitSame(JenkinsClient one, JenkinsClient other, String item) {
        String[] last = {"", ""};
        try {
            return Eventually.until(
                    item + " is the same on both",
                    IN_FORCE,
                    () -> {
                        last[0] = of(one, item);
                        last[1] = of(other, item);
                        return last[0].equals(last[1]) && !last[0].isEmpty();
                    });
        } catch (AssertionError e) {
            assertEquals(last[0], last[1], e.getMessage());
            throw e;
        }
    }

    /** POST of a config.xml. */
    static void post(JenkinsClient on, String job, String xml) {
        assertEquals(
                200,
                on.post(JenkinsClient.jobPath(job) + "config.xml", "application/xml", xml)
                        .statusCode());
    }

    /** From now on this controller counts, per event, what its listeners hear of items. */
    static void listen(JenkinsClient client) {
        TwoControllers.script(
                client,
                """
                System.properties['test.heard'] = new java.util.concurrent.ConcurrentLinkedQueue()
                ExtensionList.lookup(hudson.model.listeners.ItemListener).add(0,
                  new hudson.model.listeners.ItemListener() {
                    void onCreated(Item i) { System.properties['test.heard'].add('created ' + i.fullName) }
                    void onUpdated(Item i) { System.properties['test.heard'].add('updated ' + i.fullName) }
                    void onDeleted(Item i) { System.properties['test.heard'].add('deleted ' + i.fullName) }
                    void onLocationChanged(Item i, String o, String n) { System.properties['test.heard'].add('moved ' + n) }
                  })
                ExtensionList.lookup(hudson.model.listeners.SaveableListener).add(0,
                  new hudson.model.listeners.SaveableListener() {
                    void onChange(Saveable s, hudson.XmlFile f) {
                      if (s instanceof Item) System.properties['test.heard'].add('saved ' + s.fullName)
                    }
                  })
                """);
    }

    /** What was heard about this item since {@link #listen}. */
    static List<String> heard(JenkinsClient client, String item) {
        return TwoControllers.script(
                        client, "System.properties['test.heard'].each { println(it) }; null")
                .lines()
                .filter(line -> line.endsWith(" " + item))
                .toList();
    }

    /** The middle and the 99th percentile of what was measured, milliseconds. */
    static void figures(String name, List<Long> millis) {
        List<Long> sorted = millis.stream().sorted().toList();
        TwoControllers.figure(name + " p50", sorted.get(sorted.size() / 2), "ms");
        TwoControllers.figure(
                name + " p99",
                sorted.get(Math.min(sorted.size() - 1, sorted.size() * 99 / 100)),
                "ms");
    }

    /** A form that the page of a job or folder posts. */
    static int submit(JenkinsClient on, String path, Map<String, String> form) {
        return on.post(path, form).statusCode();
    }
}
