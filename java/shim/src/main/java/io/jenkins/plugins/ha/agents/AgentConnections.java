package io.jenkins.plugins.ha.agents;

import hudson.AbortException;
import hudson.Extension;
import hudson.FilePath;
import hudson.model.Computer;
import hudson.model.TaskListener;
import hudson.remoting.Channel;
import hudson.slaves.ComputerListener;
import hudson.slaves.OfflineCause;
import hudson.slaves.SlaveComputer;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.bridge.AgentOwner;
import io.jenkins.plugins.ha.bridge.HaException;
import java.io.IOException;

/**
 * No agent goes online here, whatever way it connects, before it is this controller's; none is
 * launched from here that works for another controller.
 */
@Extension
public final class AgentConnections extends ComputerListener {
    /** A controller that boots is a member within seconds. */
    private static final long JOIN_MILLIS = 10_000;

    @Override
    public void preLaunch(Computer computer, TaskListener listener) throws IOException {
        if (computer instanceof SlaveComputer agent && agent.isLaunchSupported()) {
            takeOrFail(computer);
        }
    }

    @Override
    public void preOnline(Computer computer, Channel channel, FilePath root, TaskListener listener)
            throws IOException {
        takeOrFail(computer);
        Membership.active()
                .map(membership -> membership.agents().nextCookie(computer.getName()))
                .ifPresent(cookie -> channel.setProperty(AgentTcpDoor.COOKIE, cookie));
    }

    @Override
    public void onOnline(Computer computer, TaskListener listener) {
        SlaveComputer agent = PermanentAgents.ofCluster(computer);
        if (Membership.active().isPresent() && agent != null && !agent.isLaunchSupported()) {
            Computer.threadPoolForRemoting.execute(() -> HurryBack.install(agent));
        }
    }

    private static void takeOrFail(Computer computer) throws IOException {
        Membership membership = Membership.active().orElse(null);
        SlaveComputer agent = PermanentAgents.ofCluster(computer);
        if (membership == null || agent == null) {
            return;
        }
        AgentOwners owners = membership.agents();
        AgentOwner owner;
        try {
            membership.cluster().awaitJoined(JOIN_MILLIS);
            owner = owners.take(agent.getName());
        } catch (HaException e) {
            throw new AbortException(
                    "This controller is no member of its cluster just now, so the agent does not"
                            + " connect to it: "
                            + e.getMessage());
        }
        if (!owners.isUs(owner)) {
            WorksElsewhere there = new WorksElsewhere(owner.controllerId(), owners.nameOf(owner));
            agent.setOfflineCause(there);
            throw new AbortException(there.toString());
        }
    }

    @Override
    public void onOffline(Computer computer, OfflineCause cause) {
        SlaveComputer agent = PermanentAgents.ofCluster(computer);
        if (agent != null) {
            Membership.active().ifPresent(membership -> membership.agents().left(agent));
        }
    }
}
