package io.jenkins.plugins.ha.bridge;

/**
 * A job with another full name than before.
 *
 * @param from its old full name
 * @param to its new one
 */
public record MovedJob(String from, String to) {}
