package io.jenkins.plugins.ha.clouds;

import hudson.model.Node;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Agents of another controller that died, which are nodes here for as long as it takes to end them:
 * nothing is launched for them, nothing runs on them. Thread-safe.
 */
final class EndedHere {
    private static final Set<String> NAMES = ConcurrentHashMap.newKeySet();

    private EndedHere() {}

    static boolean add(String agent) {
        return NAMES.add(agent);
    }

    static void remove(String agent) {
        NAMES.remove(agent);
    }

    static boolean contains(Node node) {
        return NAMES.contains(node.getNodeName());
    }
}
