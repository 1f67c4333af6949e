package io.jenkins.plugins.ha.builds;

import hudson.Extension;
import hudson.ExtensionList;
import hudson.model.Computer;
import hudson.model.TaskListener;
import hudson.slaves.ComputerListener;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.bridge.HaException;
import java.util.Collection;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * Agents that were sent after the Pipelines that were handed over. A balancer may lead one back
 * here; idle, it is sent off again for a while, so that it comes to where it is needed.
 * Thread-safe.
 */
@Extension
public final class SentAgents extends ComputerListener {
    private static final Logger LOGGER = Logger.getLogger(SentAgents.class.getName());

    /** A Pipeline waits five minutes for its agent; agents try again every ten seconds or so. */
    private static final long SENT_NANOS = TimeUnit.MINUTES.toNanos(1);

    /** Since when, in ns, by name. */
    private final Map<String, Long> sent = new ConcurrentHashMap<>();

    static SentAgents get() {
        return ExtensionList.lookupSingleton(SentAgents.class);
    }

    /** They are needed by this controller from now on: whoever they reach leads them there. */
    void send(Collection<Computer> agents, String controllerId) {
        for (Computer agent : agents) {
            sent.put(agent.getName(), System.nanoTime());
            give(agent.getName(), controllerId);
            agent.disconnect(null);
        }
    }

    private static void give(String agent, String controllerId) {
        Membership membership = Membership.active().orElse(null);
        if (membership == null) {
            return;
        }
        try {
            membership.agents().give(agent, controllerId);
        } catch (HaException e) { // it comes there by itself, sooner or later
            LOGGER.log(
                    Level.FINE,
                    "The agent {0} is not given to the taker: {1}",
                    new Object[] {agent, e.getMessage()});
        }
    }

    /** What they were sent after goes on here after all. */
    void comeBack(Collection<Computer> agents) {
        agents.forEach(agent -> sent.remove(agent.getName()));
    }

    @Override
    public void onOnline(Computer computer, TaskListener listener) {
        Long since = sent.get(computer.getName());
        if (since == null) {
            return;
        }
        if (System.nanoTime() - since > SENT_NANOS || !computer.isIdle()) {
            sent.remove(computer.getName());
            return;
        }
        LOGGER.info(
                () ->
                        "The agent "
                                + computer.getName()
                                + " came back here, and is sent off: the Pipeline that needs it was"
                                + " handed over");
        computer.disconnect(null);
    }
}
