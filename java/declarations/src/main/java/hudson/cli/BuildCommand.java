package hudson.cli;

import hudson.model.Job;

public class BuildCommand extends CLICommand {
    public Job<?, ?> job;

    public boolean follow;

    public boolean sync;

    public BuildCommand() {
        throw new UnsupportedOperationException();
    }

    @Override
    public String getShortDescription() {
        throw new UnsupportedOperationException();
    }

    @Override
    protected int run() throws Exception {
        throw new UnsupportedOperationException();
    }
}
