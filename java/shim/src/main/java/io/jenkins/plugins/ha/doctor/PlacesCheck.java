package io.jenkins.plugins.ha.doctor;

import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.doctor.Finding.Severity;
import java.io.File;
import java.util.ArrayList;
import java.util.List;
import jenkins.model.Jenkins;
import jenkins.model.JenkinsLocationConfiguration;

/** Where this controller keeps builds and workspaces, how much room there is, and its addresses. */
final class PlacesCheck implements Check {
    private static final double LITTLE_SHARE = 0.03;
    private static final String SYSTEM = "manage/configure";

    @Override
    public List<Finding> look(Membership membership) {
        List<Finding> found = new ArrayList<>();
        Jenkins jenkins = Jenkins.get();
        if (jenkins.getNumExecutors() > 0
                && jenkins.getRawWorkspaceDir().contains("ITEM_ROOTDIR")) {
            found.add(
                    new Finding(
                            Severity.ERROR,
                            "workspace-in-jobs",
                            "",
                            "The built-in node's workspaces are inside the shared jobs folder ("
                                    + jenkins.getRawWorkspaceDir()
                                    + "): two controllers that build one job write into each"
                                    + " other's",
                            "Set workspaceDir in config.xml to"
                                    + " ${JENKINS_HOME}/workspace/${ITEM_FULL_NAME}, or give the"
                                    + " built-in node no executors.",
                            SYSTEM));
        }
        if (!jenkins.getRawBuildsDir().replace('\\', '/').equals("${ITEM_ROOTDIR}/builds")) {
            found.add(
                    new Finding(
                            Severity.ERROR,
                            "builds-not-shared",
                            "",
                            "Builds are kept in "
                                    + jenkins.getRawBuildsDir()
                                    + ", not in their jobs' folders",
                            "The other controllers look for them in ${ITEM_ROOTDIR}/builds: set"
                                    + " buildsDir in config.xml to that on all, and move them.",
                            SYSTEM));
        }
        room(found, "the shared jobs folder", new File(jenkins.getRootDir(), "jobs"));
        room(found, "this controller's home", jenkins.getRootDir());
        address(found);
        if (!jenkins.isUseSecurity()) {
            found.add(
                    new Finding(
                            Severity.WARNING,
                            "no-security",
                            "",
                            "Whoever reaches this controller may administer it",
                            "Set up security; it holds on all controllers.",
                            "manage/configureSecurity/"));
        }
        return found;
    }

    private static void room(List<Finding> found, String what, File folder) {
        long total = folder.getTotalSpace();
        long free = folder.getUsableSpace();
        long little = Limits.of("freeBytes", 1L << 30);
        if (total > 0 && (free < little || free < total * LITTLE_SHARE)) {
            found.add(
                    new Finding(
                            Severity.ERROR,
                            "little-room",
                            "",
                            "Of " + what + " (" + folder + ") " + (free >> 20) + " MiB are free",
                            "Make room: builds that cannot write their log or their record fail.",
                            ""));
        }
    }

    private static void address(List<Finding> found) {
        String url = JenkinsLocationConfiguration.get().getUrl();
        if (url == null || url.isEmpty()) {
            found.add(
                    new Finding(
                            Severity.WARNING,
                            "no-address",
                            "",
                            "Jenkins' URL is not set",
                            "Set it to the load balancer's address, on each controller: mails,"
                                    + " commit statuses and agents' command lines name it.",
                            SYSTEM));
        }
    }
}
