package io.jenkins.plugins.ha.doctor;

import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.bridge.Member;
import io.jenkins.plugins.ha.doctor.Finding.Severity;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.function.Function;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.stream.Collectors;
import org.kohsuke.stapler.export.Exported;
import org.kohsuke.stapler.export.ExportedBean;

/** All that the controllers of the cluster find out about themselves, and how they differ. */
@ExportedBean
public final class Doctor {
    /** The bus' word for it; the body is the name of a file that the asker has just written. */
    public static final String TOPIC = "doctor";

    private static final Logger LOGGER = Logger.getLogger(Doctor.class.getName());
    private static final long ANSWER_MILLIS = 8000;

    /** A change on a folder that is shared rightly is seen within this time. */
    private static final long SLOW_FOLDER_MILLIS = 1000;

    private final List<Finding> findings = new ArrayList<>();
    private final Map<String, Examination> answers = new LinkedHashMap<>();

    private Doctor() {}

    /** Asks all controllers, each in its turn: some seconds for each that does not answer. */
    static Doctor of(Membership membership) {
        Doctor doctor = new Doctor();
        String file = "doctor-" + UUID.randomUUID();
        Path written = Examination.folder().resolve(file);
        try {
            Files.createDirectories(Examination.folder());
            Files.writeString(written, "");
        } catch (IOException e) {
            doctor.findings.add(
                    new Finding(
                            Severity.ERROR,
                            "jobs-folder",
                            membership.identity().name(),
                            "The shared jobs folder cannot be written: " + e,
                            "See that it is mounted, has room, and belongs to Jenkins' user.",
                            ""));
        }
        try {
            doctor.askAll(membership, file);
        } finally {
            try {
                Files.deleteIfExists(written);
            } catch (IOException e) {
                LOGGER.log(Level.FINE, "Left behind: " + written, e);
            }
        }
        doctor.compare();
        doctor.findings.sort(
                Comparator.comparing(Finding::getSeverity)
                        .thenComparing(Finding::getName)
                        .thenComparing(Finding::getController));
        return doctor;
    }

    /** The worst first. What all controllers say of the cluster is there once. */
    @Exported(inline = true)
    public List<Finding> getFindings() {
        return findings;
    }

    /** Names of the controllers that answered. */
    @Exported
    public List<String> getControllers() {
        return List.copyOf(answers.keySet());
    }

    /** The same, for people. */
    public String getAsked() {
        return String.join(", ", answers.keySet());
    }

    /** Nothing that an admin must act on was found. */
    @Exported
    public boolean isHealthy() {
        return findings.stream().allMatch(f -> f.getSeverity() == Severity.NOTE);
    }

    /** Whether builds or data are at risk. */
    boolean hasErrors() {
        return findings.stream().anyMatch(f -> f.getSeverity() == Severity.ERROR);
    }

    /** What this controller finds out about itself, for whoever asks on the bus. */
    public static String here(Membership membership, String file) {
        return Examination.here(membership, file).toText();
    }

    private void askAll(Membership membership, String file) {
        String own = membership.identity().id();
        List<Member> members;
        try {
            members = membership.cluster().members();
        } catch (HaException e) {
            members = List.of();
        }
        take(membership.identity().name(), Examination.here(membership, file));
        for (Member member : members) {
            if (!member.controllerId().equals(own)) {
                ask(membership, member, file);
            }
        }
    }

    private void ask(Membership membership, Member member, String file) {
        try {
            String answer = membership.ask(member.controllerId(), TOPIC, file, ANSWER_MILLIS);
            take(member.name(), Examination.ofText(answer, member.name()));
        } catch (RuntimeException e) { // no answer, or none that can be read
            findings.add(
                    new Finding(
                            Severity.WARNING,
                            "no-answer",
                            member.name(),
                            "It did not say how it is: " + e.getMessage(),
                            "Look into its log; if it is of an older version, upgrade it.",
                            "manage/ha/"));
        }
    }

    private void take(String controller, Examination answer) {
        answers.put(controller, answer);
        if (answer.seenMillis() < 0) {
            findings.add(
                    new Finding(
                            Severity.ERROR,
                            "jobs-folder-not-shared",
                            controller,
                            "It does not see in its jobs folder what another controller has just"
                                    + " written",
                            "Mount the cluster's jobs folder there and restart it.",
                            ""));
        } else if (answer.seenMillis() > SLOW_FOLDER_MILLIS) {
            findings.add(
                    new Finding(
                            Severity.WARNING,
                            "jobs-folder-late",
                            controller,
                            "It saw what another controller has written after "
                                    + answer.seenMillis()
                                    + " ms",
                            "On NFS mount it with lookupcache=positive and actimeo=1.",
                            ""));
        }
    }

    /** What one says of the cluster and what all say of themselves is kept once. */
    private void compare() {
        Map<String, Set<String>> who = new LinkedHashMap<>();
        Map<String, Finding> what = new LinkedHashMap<>();
        answers.forEach(
                (controller, answer) -> {
                    for (Finding finding : answer.findings()) {
                        String key = finding.getName() + "\n" + finding.getEvidence();
                        what.putIfAbsent(key, finding);
                        who.computeIfAbsent(key, k -> new LinkedHashSet<>()).add(controller);
                    }
                });
        what.forEach((key, finding) -> findings.add(finding.on(String.join(", ", who.get(key)))));
        differ("address", "Jenkins' URL", Examination::url);
        differ("time-zone", "The time zone", Examination::zone);
    }

    private void differ(String name, String what, Function<Examination, String> part) {
        Map<String, String> values =
                answers.entrySet().stream()
                        .filter(answer -> !part.apply(answer.getValue()).isEmpty())
                        .collect(
                                Collectors.toMap(Map.Entry::getKey, a -> part.apply(a.getValue())));
        if (Set.copyOf(values.values()).size() > 1) {
            findings.add(
                    new Finding(
                            Severity.WARNING,
                            name + "-differs",
                            "",
                            what
                                    + " is not the same on all controllers: "
                                    + values.entrySet().stream()
                                            .map(one -> one.getValue() + " on " + one.getKey())
                                            .sorted()
                                            .collect(Collectors.joining(", ")),
                            "Set the same on all: what a user sees depends on where he is sent.",
                            "manage/configure"));
        }
    }
}
