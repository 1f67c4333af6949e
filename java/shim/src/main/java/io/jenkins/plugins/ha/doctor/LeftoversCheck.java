package io.jenkins.plugins.ha.doctor;

import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.doctor.Finding.Severity;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What controllers left in the shared folder that the cluster does not know (any more). */
final class LeftoversCheck implements Check {
    @Override
    public List<Finding> look(Membership membership) {
        Set<String> left = new TreeSet<>();
        try (Stream<Path> files = Files.list(Examination.folder().resolve("members"))) {
            files.forEach(file -> left.add(file.getFileName().toString()));
        } catch (NoSuchFileException e) {
            return List.of();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        left.remove(membership.identity().id());
        left.removeAll(
                membership.topology().known().stream()
                        .map(one -> one.controllerId())
                        .collect(Collectors.toSet()));
        if (left.isEmpty()) {
            return List.of();
        }
        return List.of(
                new Finding(
                        Severity.NOTE,
                        "leftovers",
                        "",
                        "jobs/.ha-jenkins/members has files of controllers that this cluster does"
                                + " not know: "
                                + String.join(", ", left),
                        "If no other cluster uses the folder, delete them; if one does, give each"
                                + " cluster a folder of its own.",
                        ""));
    }
}
