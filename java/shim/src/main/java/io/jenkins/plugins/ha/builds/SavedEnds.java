package io.jenkins.plugins.ha.builds;

import hudson.Extension;
import hudson.XmlFile;
import hudson.model.Run;
import hudson.model.Saveable;
import hudson.model.listeners.SaveableListener;
import io.jenkins.plugins.ha.Recent;
import java.io.IOException;
import java.util.Set;

/**
 * Which builds that ended here have their end in their file. Core saves a build once when it has
 * ended, and goes on when that fails: the queue would be told an end that no controller finds in
 * the folder.
 */
@Extension
public final class SavedEnds extends SaveableListener {
    private static final int REMEMBERED = 1000;
    private static final Set<BuildKey> SAVED = Recent.set(REMEMBERED);

    @Override
    public void onChange(Saveable saved, XmlFile file) {
        if (saved instanceof Run<?, ?> run && !run.isBuilding()) {
            SAVED.add(BuildKey.of(run));
        }
    }

    /**
     * Saves the build unless its end is saved already; on the thread that ended it.
     *
     * @throws IOException when it cannot be saved now either
     */
    static void ensure(Run<?, ?> run) throws IOException {
        if (!SAVED.contains(BuildKey.of(run))) {
            DespiteInterrupts.save(run);
        }
    }
}
