package io.jenkins.plugins.ha.bridge;

import java.util.List;

/**
 * Some of the builds that were asked for, newest first (by start, then job and number), without
 * their XML.
 *
 * @param builds at most as many as asked for
 * @param next key for the next page, "" when this is the last
 */
public record BuildPage(List<BuildRow> builds, String next) {}
