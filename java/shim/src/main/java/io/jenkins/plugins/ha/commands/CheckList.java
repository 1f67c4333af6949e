package io.jenkins.plugins.ha.commands;

import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.doctor.Doctor;
import io.jenkins.plugins.ha.doctor.Finding;
import io.jenkins.plugins.ha.doctor.Finding.Severity;
import io.jenkins.plugins.ha.doctor.LastReport;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.kohsuke.stapler.export.Exported;
import org.kohsuke.stapler.export.ExportedBean;

/**
 * What is left to be done until the cluster is what it is meant to be: several controllers that
 * outlast each other. Each step says what to do and where.
 */
public final class CheckList {
    private static final String SYSTEM = "manage/configure";
    private static final String DOCTOR = "manage/ha/doctor/";

    private final List<Step> steps = new ArrayList<>();
    private final boolean done;

    /**
     * @param controllers how many are members
     */
    CheckList(Membership membership, int controllers) {
        Optional<Doctor> report = LastReport.get().of(membership);
        boolean several = controllers > 1;
        add(
                "redis",
                membership.link().joined(),
                "Connect this controller to Redis",
                "Redis is connected",
                membership.link().text(),
                SYSTEM);
        add(
                "second-controller",
                several,
                "Start a second controller",
                controllers + " controllers are members",
                "Give it this one's secrets, the same cluster name and Redis, the same shared"
                        + " folder as its jobs, and start it: docs/operations.md, From one"
                        + " controller to two.",
                "");
        add(
                "shared-folder",
                several && none(report, "jobs-folder"),
                "Let all controllers see one jobs folder",
                "All controllers see what one writes into the jobs folder",
                several
                        ? "Mount the same folder as jobs in each home, and restart it there."
                        : "It is tried as soon as there are two controllers.",
                DOCTOR);
        add(
                "address",
                none(report, "no-address")
                        && none(report, "address-differs")
                        && none(report, "address-of-one")
                        && none(report, "address-elsewhere")
                        && none(report, "balancer-one-controller"),
                "Put a load balancer in front, and set Jenkins' URL to its address",
                "Jenkins' URL is one that no controller has for itself",
                "Examples for HAProxy and nginx are in examples/; the health check is"
                        + " /ha-health/.",
                SYSTEM);
        List<String> unreached = membership.forwarding().reach().problems();
        add(
                "direct-urls",
                several && unreached.isEmpty(),
                "Let the controllers reach each other",
                "The controllers reach each other",
                unreached.isEmpty()
                        ? "It is tried as soon as there are two controllers."
                        : String.join(" ", unreached)
                                + " Set there, under HA, the address at which it is reached"
                                + " directly.",
                SYSTEM);
        String records = membership.records().problem();
        add(
                "records",
                records.isEmpty(),
                "Have builds recorded",
                "Builds are recorded",
                records,
                SYSTEM);
        add(
                "security",
                report.isPresent() && none(report, "no-security"),
                "Set up security",
                "Security is set up",
                "It holds on all controllers.",
                "manage/configureSecurity/");
        add(
                "doctor",
                report.map(Doctor::isHealthy).orElse(false),
                "Mend what the HA doctor finds",
                "The HA doctor finds nothing to mend",
                report.map(CheckList::found).orElse("The doctor is looking."),
                DOCTOR);
        done = steps.stream().allMatch(Step::isDone);
    }

    /** All of them; empty once all is done. */
    List<Step> open() {
        return done ? List.of() : steps;
    }

    private void add(
            String name, boolean isDone, String todo, String isSo, String how, String link) {
        steps.add(
                new Step(
                        name, isDone, isDone ? isSo : todo, isDone ? "" : how, isDone ? "" : link));
    }

    private static boolean none(Optional<Doctor> report, String name) {
        return report.map(
                        r -> r.getFindings().stream().noneMatch(f -> f.getName().startsWith(name)))
                .orElse(false);
    }

    private static String found(Doctor report) {
        long count =
                report.getFindings().stream().filter(f -> f.getSeverity() != Severity.NOTE).count();
        String first =
                report.getFindings().stream().findFirst().map(Finding::getEvidence).orElse("");
        return count + (count == 1 ? " finding" : " findings") + ", first: " + first + ".";
    }

    /** One step. */
    @ExportedBean(defaultVisibility = 999)
    public static final class Step {
        private final String name;
        private final boolean done;
        private final String title;
        private final String how;
        private final String link;

        Step(String name, boolean done, String title, String how, String link) {
            this.name = name;
            this.done = done;
            this.title = title;
            this.how = how;
            this.link = link;
        }

        /** For scripts. */
        @Exported
        public String getName() {
            return name;
        }

        @Exported
        public boolean isDone() {
            return done;
        }

        /** What to do; once it is done, how it is. */
        @Exported
        public String getTitle() {
            return title;
        }

        /** More on it, or "". */
        @Exported
        public String getHow() {
            return how;
        }

        /** Where to do it, from Jenkins' root, or "". */
        @Exported
        public String getLink() {
            return link;
        }

        /** A symbol that says the same as {@link #isDone}. */
        public String getIcon() {
            return done ? "symbol-status-blue" : "symbol-status-nobuilt";
        }
    }
}
