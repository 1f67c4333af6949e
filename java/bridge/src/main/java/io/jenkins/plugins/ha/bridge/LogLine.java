package io.jenkins.plugins.ha.bridge;

import java.util.logging.Level;

/**
 * A line of the library's log.
 *
 * @param level 1 error, 2 warning, 3 information, 4 detail, 5 trace
 * @param module the Rust module it comes from
 * @param text the line itself; holds no secret
 */
record LogLine(int level, String module, String text) {

    Level javaLevel() {
        return switch (level) {
            case 1 -> Level.SEVERE;
            case 2 -> Level.WARNING;
            case 3 -> Level.INFO;
            case 4 -> Level.FINE;
            default -> Level.FINER;
        };
    }
}
