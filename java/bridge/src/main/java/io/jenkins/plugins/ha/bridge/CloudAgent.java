package io.jenkins.plugins.ha.bridge;

/**
 * An agent of a cloud, or one that was asked for.
 *
 * @param id of its slot
 * @param alive whether its controller still is the member that it was then
 * @param controllerId the controller that asked for it, or took it over
 * @param epoch the membership under which it did
 * @param cloud the cloud's name
 * @param sinceMillis when it was asked for, by Redis' clock
 * @param agent its name; "" before it is known
 */
public record CloudAgent(
        String id,
        boolean alive,
        String controllerId,
        long epoch,
        String cloud,
        long sinceMillis,
        String agent) {
    static CloudAgent ofLines(String lines) {
        String[] parts = lines.split("\n", -1);
        return new CloudAgent(
                parts[0],
                Boolean.parseBoolean(parts[1]),
                parts[2],
                Long.parseLong(parts[3]),
                parts[4],
                Long.parseLong(parts[5]),
                parts[6]);
    }
}
