package io.jenkins.plugins.ha.extensions;

import hudson.Extension;
import java.io.File;
import java.io.IOException;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import jenkins.scm.api.SCMNavigator;
import jenkins.scm.api.SCMNavigatorDescriptor;
import jenkins.scm.api.SCMSource;
import jenkins.scm.api.SCMSourceObserver;

/**
 * An organization whose repositories are the Git repositories in one folder, in the order of their
 * names. A scan waits before a repository for as long as a file {@code hold-<repository>} is beside
 * it; while it does, a file {@code held-<repository>} is there. Needs the plugins git and
 * branch-api.
 */
public final class FolderNavigator extends SCMNavigator {
    private static final long LOOK_MILLIS = 20;

    private final String folder;

    /**
     * @param folder where the repositories are
     */
    public FolderNavigator(String folder) {
        this.folder = folder;
    }

    @Override
    protected String id() {
        return folder;
    }

    @Override
    public void visitSources(SCMSourceObserver observer) throws IOException, InterruptedException {
        String[] names = new File(folder).list();
        if (names == null) {
            throw new IOException(folder + " cannot be read");
        }
        Arrays.sort(names);
        for (String name : names) {
            Path repository = Path.of(folder, name);
            if (!Files.isDirectory(repository)) {
                continue;
            }
            while (Files.exists(Path.of(folder, "hold-" + name))) {
                Files.writeString(Path.of(folder, "held-" + name), "");
                Thread.sleep(LOOK_MILLIS);
            }
            SCMSourceObserver.ProjectObserver project = observer.observe(name);
            project.addSource(source(repository));
            project.complete();
        }
    }

    private static SCMSource source(Path repository) throws IOException {
        try {
            Class<?> git = Class.forName("jenkins.plugins.git.GitSCMSource");
            Object source = git.getConstructor(String.class).newInstance(repository.toString());
            Object branches =
                    Class.forName("jenkins.plugins.git.traits.BranchDiscoveryTrait")
                            .getConstructor()
                            .newInstance();
            Method setTraits = git.getMethod("setTraits", List.class);
            setTraits.invoke(source, List.of(branches));
            git.getMethod("setId", String.class).invoke(source, "repository");
            return (SCMSource) source;
        } catch (ReflectiveOperationException e) {
            throw new IOException("No plugin git", e);
        }
    }

    /** Makes it known to Jenkins, where the plugins are. */
    @Extension(optional = true)
    public static final class DescriptorImpl extends SCMNavigatorDescriptor {
        public DescriptorImpl() {
            super(FolderNavigator.class);
        }

        @Override
        public String getDisplayName() {
            return "Folder of Git repositories";
        }

        @Override
        public SCMNavigator newInstance(String name) {
            return new FolderNavigator(name);
        }
    }
}
