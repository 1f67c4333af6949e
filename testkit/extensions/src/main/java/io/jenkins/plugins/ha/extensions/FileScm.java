package io.jenkins.plugins.ha.extensions;

import hudson.Extension;
import hudson.FilePath;
import hudson.Launcher;
import hudson.model.Job;
import hudson.model.Run;
import hudson.model.TaskListener;
import hudson.scm.ChangeLogParser;
import hudson.scm.NullChangeLogParser;
import hudson.scm.PollingResult;
import hudson.scm.SCM;
import hudson.scm.SCMDescriptor;
import hudson.scm.SCMRevisionState;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A source code management whose repository is one file with the latest revision. As most do, it
 * compares with the revision that Jenkins saw last; where it is told to, only in a workspace. Used
 * by jobs that name it; only on the built-in node.
 */
public final class FileScm extends SCM {
    private static final String CHECKED_OUT = "revision";

    private final String file;
    private final boolean inWorkspace;

    /**
     * @param file the repository
     * @param inWorkspace whether polling needs the workspace of a build
     */
    public FileScm(String file, boolean inWorkspace) {
        this.file = file;
        this.inWorkspace = inWorkspace;
    }

    @Override
    public boolean requiresWorkspaceForPolling() {
        return inWorkspace;
    }

    @Override
    public void checkout(
            Run<?, ?> build,
            Launcher launcher,
            FilePath workspace,
            TaskListener listener,
            File changelogFile,
            SCMRevisionState baseline)
            throws IOException {
        Path to = Files.createDirectories(Path.of(workspace.getRemote()));
        Files.copy(
                Path.of(file),
                to.resolve(CHECKED_OUT),
                java.nio.file.StandardCopyOption.REPLACE_EXISTING);
        listener.getLogger().println("Checked out " + Files.readString(to.resolve(CHECKED_OUT)));
    }

    @Override
    public SCMRevisionState calcRevisionsFromBuild(
            Run<?, ?> build, FilePath workspace, Launcher launcher, TaskListener listener)
            throws IOException {
        return new Revision(Files.readString(Path.of(workspace.getRemote(), CHECKED_OUT)));
    }

    @Override
    public PollingResult compareRemoteRevisionWith(
            Job<?, ?> project,
            Launcher launcher,
            FilePath workspace,
            TaskListener listener,
            SCMRevisionState baseline)
            throws IOException {
        Revision remote = new Revision(Files.readString(Path.of(file)));
        boolean comparable =
                baseline instanceof Revision
                        && (!inWorkspace
                                || Files.exists(Path.of(workspace.getRemote(), CHECKED_OUT)));
        PollingResult.Change change =
                !comparable
                        ? PollingResult.Change.INCOMPARABLE
                        : ((Revision) baseline).name.equals(remote.name)
                                ? PollingResult.Change.NONE
                                : PollingResult.Change.SIGNIFICANT;
        return new PollingResult(baseline, remote, change);
    }

    @Override
    public ChangeLogParser createChangeLogParser() {
        return NullChangeLogParser.INSTANCE;
    }

    /** What the file said. */
    public static final class Revision extends SCMRevisionState {
        private final String name;

        Revision(String name) {
            this.name = name;
        }
    }

    /** Makes it known to Jenkins. */
    @Extension
    public static final class DescriptorImpl extends SCMDescriptor<FileScm> {
        public DescriptorImpl() {
            super(FileScm.class, null);
        }

        @Override
        public String getDisplayName() {
            return "File";
        }
    }
}
