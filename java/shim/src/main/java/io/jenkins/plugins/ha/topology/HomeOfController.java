package io.jenkins.plugins.ha.topology;

import io.jenkins.plugins.ha.bridge.ControllerHome;
import java.nio.file.Path;
import jenkins.model.Jenkins;

/** Where this controller runs, and what it must have in common with the others. */
public final class HomeOfController {
    private HomeOfController() {}

    /** For joining. */
    public static ControllerHome here() {
        Path home = Jenkins.get().getRootDir().toPath();
        Path idFile = home.resolve("ha-jenkins/controller-id");
        return new ControllerHome(
                ControllerHome.hostName() + ":" + home,
                ControllerHome.placeOf(idFile),
                idFile.toString(),
                home.resolve("jobs").toString(),
                home.resolve("ha-jenkins/outbox").toString(),
                "Jenkins " + Jenkins.VERSION.replaceAll("\\..*", ""),
                ControllerFacts.beforeSecurity().toText());
    }
}
