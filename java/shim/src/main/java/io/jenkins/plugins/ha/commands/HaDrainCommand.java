package io.jenkins.plugins.ha.commands;

import hudson.Extension;
import hudson.cli.CLICommand;
import jenkins.model.Jenkins;
import org.kohsuke.args4j.Argument;

/** The command line's {@code ha-drain}, as {@code POST /ha/drain}. */
@Extension
public final class HaDrainCommand extends CLICommand {
    @Argument(metaVar = "CONTROLLER", usage = "Name or id of the controller; default: this one")
    private String controller = "";

    @Override
    public String getShortDescription() {
        return "A controller takes no more builds and hands its Pipelines over; what else runs"
                + " there goes on";
    }

    /** 0 when done; core answers 6 without the permission, 4 for what is thrown here. */
    @Override
    protected int run() {
        Jenkins.get().checkPermission(Jenkins.MANAGE);
        try {
            stdout.println(Draining.ask(controller, true));
            return 0;
        } catch (Draining.Failed e) {
            throw new IllegalStateException(e.getMessage());
        }
    }
}
