package io.jenkins.plugins.ha.doctor;

import jenkins.util.SystemProperties;

/** What an admin bears before the doctor tells him of it. */
final class Limits {
    private static final String PROPERTIES = "io.jenkins.plugins.ha.doctor.";

    private Limits() {}

    /** The doctor's system property of this name, or the value given here. */
    static long of(String name, long otherwise) {
        return SystemProperties.getLong(PROPERTIES + name, otherwise);
    }
}
