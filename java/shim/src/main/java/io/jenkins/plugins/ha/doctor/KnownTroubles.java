package io.jenkins.plugins.ha.doctor;

import hudson.ExtensionList;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.doctor.Finding.Severity;
import io.jenkins.plugins.ha.health.ClusterMonitor;
import io.jenkins.plugins.ha.health.ItemsMonitor;
import io.jenkins.plugins.ha.health.ReachMonitor;
import io.jenkins.plugins.ha.health.RecordsMonitor;
import io.jenkins.plugins.ha.health.RerunMonitor;
import io.jenkins.plugins.ha.health.SettingsMonitor;
import io.jenkins.plugins.ha.health.TopologyMonitor;
import io.jenkins.plugins.ha.people.LoginUnderWay;
import java.util.ArrayList;
import java.util.List;

/** What the monitors of <i>Manage Jenkins</i> on this controller tell already. */
final class KnownTroubles implements Check {
    private static final String SENTENCE = "The sentence says what to do.";

    @Override
    public List<Finding> look(Membership membership) {
        List<Finding> found = new ArrayList<>();
        String cluster = monitor(ClusterMonitor.class).getProblem();
        Severity severity = membership.link().joined() ? Severity.WARNING : Severity.ERROR;
        add(found, severity, "cluster", cluster, SENTENCE, "manage/ha/");
        String records = monitor(RecordsMonitor.class).getProblem();
        add(found, Severity.ERROR, "records", records, SENTENCE, "manage/");
        String items = monitor(ItemsMonitor.class).getProblem();
        add(found, Severity.ERROR, "items", items, SENTENCE, "manage/");
        for (var trouble : monitor(SettingsMonitor.class).getTroubles()) {
            add(
                    found,
                    Severity.WARNING,
                    "setting-not-in-force",
                    trouble.path() + ", since " + trouble.since() + ": " + trouble.text(),
                    SENTENCE,
                    "manage/");
        }
        for (String problem : monitor(ReachMonitor.class).getProblems()) {
            add(
                    found,
                    Severity.WARNING,
                    "not-reached",
                    problem,
                    "Set there, under HA, the address at which it is reached directly, and let the"
                            + " controllers through to each other.",
                    "manage/configure");
        }
        TopologyMonitor topology = monitor(TopologyMonitor.class);
        for (String problem : topology.getProblems()) {
            add(found, Severity.WARNING, "controllers-differ", problem, SENTENCE, "manage/ha/");
        }
        for (TopologyMonitor.Gone gone : topology.getGone()) {
            add(
                    found,
                    Severity.WARNING,
                    "controller-gone",
                    gone.getText(),
                    "Start it again, or forget it on the page.",
                    "manage/ha/");
        }
        for (String left : LoginUnderWay.left()) {
            add(
                    found,
                    Severity.WARNING,
                    "login-under-way",
                    "Something of a login at another site stays in the session of this"
                            + " controller; "
                            + left,
                    "Let the balancer be sticky while people log in.",
                    "");
        }
        int givenUp = monitor(RerunMonitor.class).getBuilds().size();
        if (givenUp > 0) {
            add(
                    found,
                    Severity.WARNING,
                    "builds-not-run-again",
                    givenUp + " builds died with one controller after the other",
                    "Look into their logs before you trigger them again.",
                    "manage/");
        }
        return found;
    }

    private static <T> T monitor(Class<T> type) {
        return ExtensionList.lookupSingleton(type);
    }

    private static void add(
            List<Finding> found,
            Severity severity,
            String name,
            String evidence,
            String remedy,
            String link) {
        if (!evidence.isEmpty()) {
            found.add(new Finding(severity, name, "", evidence, remedy, link));
        }
    }
}
