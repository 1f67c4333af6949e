package io.jenkins.plugins.ha.bridge;

/**
 * What a Redis was found to be; it can be used.
 *
 * @param found a sentence: server version, round-trip time
 * @param warning what an admin should change all the same, or ""
 */
public record ConnectionTest(String found, String warning) {}
