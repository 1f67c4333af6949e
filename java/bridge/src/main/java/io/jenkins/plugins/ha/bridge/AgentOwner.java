package io.jenkins.plugins.ha.bridge;

/**
 * An agent and the controller that it works for.
 *
 * @param agent its name
 * @param controllerId the owner's id
 * @param epoch the membership under which it owns it
 */
public record AgentOwner(String agent, String controllerId, long epoch) {
    static AgentOwner ofLines(String lines) {
        String[] parts = lines.split("\n", -1);
        return new AgentOwner(parts[0], parts[1], Long.parseLong(parts[2]));
    }
}
