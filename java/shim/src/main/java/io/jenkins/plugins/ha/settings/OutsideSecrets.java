package io.jenkins.plugins.ha.settings;

import hudson.EnvVars;
import java.util.List;

/**
 * Keeps what the environment of this process says about Redis and the database from the builds of
 * the built-in node, which get that environment from {@link EnvVars#masterEnvVars}.
 */
public final class OutsideSecrets {
    private static final List<String> NAMES =
            List.of(
                    EffectiveSettings.REDIS_PASSWORD,
                    EffectiveSettings.DATABASE_PASSWORD,
                    // they may hold a password
                    EffectiveSettings.REDIS_URL,
                    EffectiveSettings.DATABASE_URL);

    private OutsideSecrets() {}

    /** From now on no build finds them there. */
    public static void hideFromBuilds() {
        NAMES.forEach(EnvVars.masterEnvVars::remove);
    }
}
