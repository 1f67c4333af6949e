package io.jenkins.plugins.ha.doctor;

import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.doctor.Finding.Severity;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TimeZone;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;
import jenkins.model.Jenkins;
import jenkins.model.JenkinsLocationConfiguration;
import net.sf.json.JSONArray;
import net.sf.json.JSONObject;

/**
 * What one controller finds out about itself.
 *
 * @param url what it says is Jenkins' URL
 * @param zone its time zone
 * @param seenMillis how long it took to see what the asker had written to the jobs folder; -1: it
 *     did not see it
 */
record Examination(List<Finding> findings, String url, String zone, long seenMillis) {
    private static final Logger LOGGER = Logger.getLogger(Examination.class.getName());
    private static final long LATE_MILLIS = 2000;
    private static final long PAUSE_MILLIS = 20;

    private static final List<Check> CHECKS =
            List.of(
                    new KnownTroubles(),
                    new PlacesCheck(),
                    new ClockCheck(),
                    new DatabaseCheck(),
                    new JobsCheck(),
                    new BalancerCheck(),
                    new LeftoversCheck(),
                    new PluginsCheck());

    /** Of this controller. Some seconds at the most, if the folder or Redis is slow. */
    static Examination here(Membership membership, String file) {
        List<Finding> findings = new ArrayList<>();
        for (Check check : CHECKS) {
            try {
                findings.addAll(check.look(membership));
            } catch (RuntimeException e) { // of a plugin's class, say: the others are worth having
                LOGGER.log(Level.WARNING, "A check of the HA doctor failed", e);
                findings.add(
                        new Finding(
                                Severity.WARNING,
                                "check-failed",
                                "",
                                check.getClass().getSimpleName() + ": " + e,
                                "Look into this controller's log.",
                                ""));
            }
        }
        String url = JenkinsLocationConfiguration.get().getUrl();
        return new Examination(
                findings, url == null ? "" : url, TimeZone.getDefault().getID(), seen(file));
    }

    /** The folder in which the asker writes. */
    static Path folder() {
        return new File(Jenkins.get().getRootDir(), "jobs/.ha-jenkins").toPath();
    }

    private static long seen(String file) {
        if (!file.matches("doctor-[0-9a-f-]{36}")) {
            return -1;
        }
        long start = System.nanoTime();
        while (true) {
            long took = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start);
            if (Files.exists(folder().resolve(file))) {
                return took;
            }
            if (took > LATE_MILLIS) {
                return -1;
            }
            try {
                Thread.sleep(PAUSE_MILLIS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return -1;
            }
        }
    }

    /** For the bus. */
    String toText() {
        JSONArray all = new JSONArray();
        findings.forEach(finding -> all.add(finding.toJson()));
        JSONObject json = new JSONObject();
        json.put("findings", all);
        json.put("url", url);
        json.put("zone", zone);
        json.put("seenMillis", seenMillis);
        return json.toString();
    }

    /**
     * Of any version.
     *
     * @param controller whose it is
     * @throws RuntimeException when it is none: the controller is of a version without a doctor
     */
    static Examination ofText(String text, String controller) {
        JSONObject json = JSONObject.fromObject(text);
        List<Finding> findings = new ArrayList<>();
        JSONArray all = json.getJSONArray("findings");
        for (int i = 0; i < all.size(); i++) {
            findings.add(Finding.ofJson(all.getJSONObject(i), controller));
        }
        return new Examination(
                findings,
                json.optString("url"),
                json.optString("zone"),
                json.optLong("seenMillis", -1));
    }
}
