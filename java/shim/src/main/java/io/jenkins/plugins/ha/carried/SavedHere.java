package io.jenkins.plugins.ha.carried;

import hudson.Extension;
import hudson.XmlFile;
import hudson.init.InitMilestone;
import hudson.model.Node;
import hudson.model.Saveable;
import hudson.model.listeners.ItemListener;
import hudson.model.listeners.SaveableListener;
import io.jenkins.plugins.ha.AnsweredLater;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.people.LoginFilter;
import io.jenkins.plugins.ha.settings.HaConfiguration;
import java.util.List;
import jenkins.model.Jenkins;
import jenkins.model.NodeListener;

/**
 * Hears what this Jenkins saves. It hears of each build as well, so it asks no more than a name.
 */
@Extension
public final class SavedHere extends SaveableListener {
    private static final long STORED_MILLIS = 500;

    @Override
    public void onChange(Saveable saveable, XmlFile file) {
        saved(file);
    }

    @Override
    public void onDeleted(Saveable saveable, XmlFile file) {
        saved(file);
    }

    /** Core does not tell of a file that it removes with the old name of an agent. */
    @Extension
    public static final class RenamedNodes extends NodeListener {
        @Override
        protected void onUpdated(Node before, Node now) {
            if (!before.getNodeName().equals(now.getNodeName())) {
                onDeleted(before);
            }
        }

        @Override
        protected void onDeleted(Node node) {
            saved(Jenkins.get().getNodesObject().getConfigFile(node.getNodeName()));
        }
    }

    private static void saved(XmlFile file) {
        if (file.getFile().getName().equals("config.xml")) {
            LoginFilter.ensureInPlace(); // a new realm has made the filters anew
        }
        Jenkins jenkins = Jenkins.getInstanceOrNull();
        if (jenkins == null || jenkins.getInitLevel().compareTo(InitMilestone.COMPLETED) < 0) {
            // The lists of what is carried are an extension, too, and extensions save while they
            // are made; the comparison, which begins when all is loaded, finds what they saved.
            return;
        }
        Membership.active().ifPresent(membership -> saved(membership, file));
    }

    private static void saved(Membership membership, XmlFile file) {
        Carrying carrying = membership.carrying();
        if (carrying.saved(file.getFile().toPath()) && AnsweredLater.mayWait(membership)) {
            try {
                carrying.awaitStored(STORED_MILLIS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Begins when Jenkins has booted, before it serves a page with settings of its own. */
    @Extension(ordinal = 1e300)
    public static final class AtBoot extends ItemListener {
        private static final int LISTED = 20;

        /** Another controller's settings are a few hundred files; a page can wait so long. */
        private static final long MOST_MILLIS = 20_000;

        @Override
        public void onLoaded() {
            Membership.active()
                    .ifPresent(
                            membership -> {
                                stayOutWithOthers(membership);
                                membership.carrying().start();
                                membership.carrying().awaitFirstLook(MOST_MILLIS);
                            });
        }

        private static void stayOutWithOthers(Membership membership) {
            if (HaConfiguration.get().isTakesSettings()) {
                return;
            }
            List<String> differences;
            try {
                differences = membership.carrying().differences();
            } catch (HaException e) {
                throw new StaysOut("the cluster's could not be asked for: " + e.getMessage());
            }
            if (!differences.isEmpty()) {
                int shown = Math.min(LISTED, differences.size());
                throw new StaysOut(
                        String.join("; ", differences.subList(0, shown))
                                + (differences.size() > shown
                                        ? "; and " + (differences.size() - shown) + " more"
                                        : ""));
            }
        }
    }

    /** Ends the boot: Jenkins goes on past an exception. */
    static final class StaysOut extends Error {
        private static final long serialVersionUID = 1L;

        StaysOut(String what) {
            super(
                    "HA Jenkins does not let this controller into the cluster: it has other"
                            + " settings, and is told not to take the cluster's (Manage Jenkins >"
                            + " System > HA, or io.jenkins.plugins.ha.takesSettings). "
                            + what);
        }
    }
}
