package io.jenkins.plugins.ha.agents;

import hudson.remoting.Channel;
import hudson.remoting.Engine;
import hudson.remoting.EngineListenerAdapter;
import hudson.slaves.SlaveComputer;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.logging.Level;
import java.util.logging.Logger;
import jenkins.security.MasterToSlaveCallable;
import jenkins.slaves.restarter.SlaveRestarter;

/**
 * Has an agent by TCP begin anew as soon as its connection has ended. By itself it waits ten
 * seconds and does the same then, by core's restarters; an agent by WebSocket does not wait.
 */
final class HurryBack extends MasterToSlaveCallable<Void, IOException> {
    private static final long serialVersionUID = 1L;
    private static final Logger LOGGER = Logger.getLogger(HurryBack.class.getName());

    private final ArrayList<SlaveRestarter> restarters;

    private HurryBack(List<SlaveRestarter> restarters) {
        this.restarters = new ArrayList<>(restarters);
    }

    /** Asks the agent; blocks until it has answered. */
    static void install(SlaveComputer agent) {
        Channel channel = agent.getChannel();
        if (channel == null) {
            return;
        }
        try {
            channel.call(new HurryBack(SlaveRestarter.all()));
        } catch (IOException | RuntimeException e) { // remoting has some of either kind
            LOGGER.log(Level.FINE, "The agent is gone already, or of another kind", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public Void call() {
        Engine engine = Engine.current();
        if (engine != null && !"WebSocket".equals(engine.getProtocolName())) {
            restarters.removeIf(restarter -> !restarter.canWork());
            engine.addListener(new AtTheEnd(restarters));
        }
        return null;
    }

    private static final class AtTheEnd extends EngineListenerAdapter {
        private final List<SlaveRestarter> restarters;

        AtTheEnd(List<SlaveRestarter> restarters) {
            this.restarters = restarters;
        }

        @Override
        public void onDisconnect() {
            for (SlaveRestarter restarter : restarters) {
                try {
                    restarter.restart(); // does not return
                } catch (Exception e) {
                    Logger.getLogger("hudson.remoting").log(Level.WARNING, "Not restarted", e);
                }
            }
        }
    }
}
