package io.jenkins.plugins.ha.bridge;

/**
 * A controller that is a member, or died and is not back.
 *
 * @param controllerId stable id, kept in its JENKINS_HOME
 * @param name what people call it
 * @param host host and folder, or ""
 * @param facts what it said of itself
 * @param goneMillis for how long it has been gone; -1 while it is a member
 * @param reran how many of the builds that it ran when it died run again
 */
public record KnownController(
        String controllerId, String name, String host, String facts, long goneMillis, long reran) {
    /** Whether it is a member. */
    public boolean lives() {
        return goneMillis < 0;
    }
}
