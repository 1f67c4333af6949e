package io.jenkins.plugins.ha.carried;

import hudson.Extension;
import hudson.XmlFile;
import hudson.model.Saveable;
import hudson.model.listeners.ItemListener;
import hudson.model.listeners.SaveableListener;
import io.jenkins.plugins.ha.Membership;

/**
 * Hears what this Jenkins saves. It hears of each build as well, so it asks no more than a name.
 */
@Extension
public final class SavedHere extends SaveableListener {
    @Override
    public void onChange(Saveable saveable, XmlFile file) {
        saved(file);
    }

    @Override
    public void onDeleted(Saveable saveable, XmlFile file) {
        saved(file);
    }

    private static void saved(XmlFile file) {
        Membership.active()
                .ifPresent(membership -> membership.carrying().saved(file.getFile().toPath()));
    }

    /** Begins when Jenkins has booted, before it serves a page with settings of its own. */
    @Extension(ordinal = 1e300)
    public static final class AtBoot extends ItemListener {
        /** Another controller's settings are a few hundred files; a page can wait so long. */
        private static final long MOST_MILLIS = 20_000;

        @Override
        public void onLoaded() {
            Membership.active()
                    .ifPresent(
                            membership -> {
                                membership.carrying().start();
                                membership.carrying().awaitFirstLook(MOST_MILLIS);
                            });
        }
    }
}
