package io.jenkins.plugins.ha.agents;

import hudson.model.Computer;
import hudson.model.Node;
import hudson.slaves.AbstractCloudSlave;
import hudson.slaves.EphemeralNode;
import hudson.slaves.SlaveComputer;
import java.util.ArrayList;
import java.util.List;
import jenkins.model.Jenkins;

/** Which agents are the cluster's; those of clouds are each controller's own. */
public final class PermanentAgents {
    private PermanentAgents() {}

    /** Whether this node, which is not the built-in one, is the cluster's. */
    public static boolean isOne(Node node) {
        return !(node instanceof EphemeralNode) && !(node instanceof AbstractCloudSlave);
    }

    /** This agent's computer here; null when it is none of the cluster's. */
    static SlaveComputer computer(String name) {
        return name.isEmpty() ? null : ofCluster(Jenkins.get().getComputer(name));
    }

    /** The same computer; null when it is none of the cluster's. */
    static SlaveComputer ofCluster(Computer computer) {
        if (computer instanceof SlaveComputer agent) {
            Node node = agent.getNode();
            return node == null || !isOne(node) ? null : agent;
        }
        return null;
    }

    /** All that this controller knows. */
    static List<SlaveComputer> all() {
        List<SlaveComputer> all = new ArrayList<>();
        for (Computer computer : Jenkins.get().getComputers()) {
            SlaveComputer agent = ofCluster(computer);
            if (agent != null) {
                all.add(agent);
            }
        }
        return all;
    }
}
