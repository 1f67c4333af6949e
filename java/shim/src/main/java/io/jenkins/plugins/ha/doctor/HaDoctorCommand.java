package io.jenkins.plugins.ha.doctor;

import hudson.Extension;
import hudson.cli.CLICommand;
import java.util.Optional;

/**
 * The command line's {@code ha-doctor}: says what is wrong with the cluster. Its exit code is 0
 * when nothing that an admin must act on was found, 10 for warnings, 11 for errors.
 */
@Extension
public final class HaDoctorCommand extends CLICommand {
    private static final int WARNINGS = 10;
    private static final int ERRORS = 11;

    @Override
    public String getShortDescription() {
        return "Says what is wrong with the HA cluster, and what mends it";
    }

    @Override
    protected int run() {
        Optional<Doctor> doctor = new DoctorPage().examine();
        if (doctor.isEmpty()) {
            stdout.println("This Jenkins is in no cluster.");
            return WARNINGS;
        }
        doctor.get().getFindings().forEach(stdout::println);
        stdout.println(
                (doctor.get().isHealthy() ? "Healthy: " : "Not healthy: ")
                        + String.join(", ", doctor.get().getControllers())
                        + " answered.");
        return doctor.get().isHealthy() ? 0 : doctor.get().hasErrors() ? ERRORS : WARNINGS;
    }
}
