package io.jenkins.plugins.ha.bridge;

/**
 * What a controller can take just now.
 *
 * @param lane the lane it can serve
 * @param room how many items of that lane it can take, 1 or more
 */
public record LaneOffer(String lane, int room) {}
