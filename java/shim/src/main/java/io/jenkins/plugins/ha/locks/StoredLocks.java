package io.jenkins.plugins.ha.locks;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import jenkins.model.Jenkins;
import org.jenkins.plugins.lockableresources.LockableResource;
import org.jenkins.plugins.lockableresources.queue.LockableResourcesStruct;

/**
 * All locks of the cluster, as they are stored: with XStream, by which the plugin stores its own.
 */
final class StoredLocks {
    boolean allowEmptyOrNullValues;
    List<LockableResource> resources = new ArrayList<>();

    /** Pipelines that wait, in the order in which they have a lock next. */
    List<Waiter> waiting = new ArrayList<>();

    /** Those that have been given one, and have not gone on yet. */
    List<Waiter> granted = new ArrayList<>();

    /** A {@code lock} step that waits, or has just been given what it waited for. */
    static final class Waiter {
        String id;
        String build;

        /** The step's node in the graph of its Pipeline. */
        String node;

        String description;
        String variable;
        int priority;
        List<LockableResourcesStruct> required;

        /** Names of the resources that it was given; null while it waits. */
        List<String> got;
    }

    byte[] text() {
        return Jenkins.XSTREAM2.toXML(this).getBytes(StandardCharsets.UTF_8);
    }

    /** By name, each resource as a text. */
    Map<String, String> each() {
        Map<String, String> texts = new HashMap<>();
        resources.forEach(one -> texts.put(one.getName(), Jenkins.XSTREAM2.toXML(one)));
        return texts;
    }

    static StoredLocks of(byte[] text) {
        return (StoredLocks) Jenkins.XSTREAM2.fromXML(new String(text, StandardCharsets.UTF_8));
    }
}
