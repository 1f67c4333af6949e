package io.jenkins.plugins.ha.extensions;

import hudson.AbortException;
import hudson.model.Computer;
import hudson.model.Node;
import hudson.slaves.Cloud;
import hudson.slaves.NodeProvisioner;
import java.util.Collection;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Makes agents for one label: each is a process on this host that serves one build. Switches:
 * {@code cloud-delay} is how long it takes to make one, ms; {@code cloud-fails} says how many it
 * still fails to make; {@code cloud-throws}, that it fails to be asked.
 */
public final class ProcessCloud extends Cloud {
    private static final AtomicInteger COUNT = new AtomicInteger();

    /** When it was asked, ns. */
    private static final Queue<Long> ASKED = new ConcurrentLinkedQueue<>();

    private final String label;
    private final int cap;

    /** For agents of this label, as many at once as the cap says. */
    public ProcessCloud(String label, int cap) {
        super("processes-" + label);
        this.label = label;
        this.cap = cap;
    }

    /** As plugins of clouds call it. */
    public int getInstanceCap() {
        return cap;
    }

    @Override
    public boolean canProvision(Cloud.CloudState state) {
        return state.getLabel() != null && state.getLabel().getName().equals(label);
    }

    @Override
    public Collection<NodeProvisioner.PlannedNode> provision(
            Cloud.CloudState state, int excessWorkload) {
        long now = System.nanoTime();
        for (int i = 0; i < excessWorkload; i++) {
            ASKED.add(now);
        }
        if (Switches.is("cloud-throws", label)) {
            throw new IllegalStateException("no cloud today");
        }
        List<NodeProvisioner.PlannedNode> planned = new java.util.ArrayList<>();
        for (int i = 0; i < excessWorkload; i++) {
            String name =
                    label + "-" + ProcessHandle.current().pid() + "-" + COUNT.incrementAndGet();
            Future<Node> future = Computer.threadPoolForRemoting.submit(() -> make(name));
            planned.add(new NodeProvisioner.PlannedNode(name, future, 1));
        }
        return planned;
    }

    private Node make(String name) throws Exception {
        String delay = Switches.get("cloud-delay");
        if (!delay.isEmpty()) {
            Thread.sleep(Long.parseLong(delay));
        }
        String fails = Switches.get("cloud-fails");
        if (!fails.isEmpty() && Integer.parseInt(fails) > 0) {
            Switches.set("cloud-fails", String.valueOf(Integer.parseInt(fails) - 1));
            throw new AbortException("no machine left");
        }
        return new ProcessAgent(name, label, this.name);
    }

    /** When it was asked for an agent, ns, a number for each. */
    public static List<Long> asked() {
        return List.copyOf(ASKED);
    }
}
