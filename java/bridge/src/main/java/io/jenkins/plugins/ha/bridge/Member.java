package io.jenkins.plugins.ha.bridge;

/**
 * A controller of the cluster.
 *
 * @param controllerId stable id, kept in its JENKINS_HOME
 * @param epoch fencing token of its present membership
 * @param name what people call it
 * @param url where it is reached directly, or ""
 * @param version version of the plugin it runs
 * @param leaseMillis how long its lease still lasts; negative when it has lapsed
 */
public record Member(
        String controllerId,
        long epoch,
        String name,
        String url,
        String version,
        long leaseMillis) {}
