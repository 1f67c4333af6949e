package io.jenkins.plugins.ha.topology;

import hudson.Extension;
import hudson.model.listeners.ItemListener;
import io.jenkins.plugins.ha.Membership;
import java.util.List;
import java.util.logging.Logger;

/**
 * Keeps a controller on which anybody is an administrator out of a cluster where people must log
 * in: a load balancer would send visitors to it. Asked when Jenkins has booted and before it serves
 * the first page: code and scripts set the security until then.
 */
@Extension(ordinal = Double.MAX_VALUE)
public final class SecurityGate extends ItemListener {
    private static final Logger LOGGER = Logger.getLogger(SecurityGate.class.getName());

    @Override
    public void onLoaded() {
        Membership membership = Membership.active().orElse(null);
        if (membership == null) {
            return;
        }
        membership.topology().booted();
        List<String> closed = membership.topology().closedElsewhere();
        if (!closed.isEmpty()) {
            throw new Refused(sentence(closed));
        }
    }

    /** Not all could be compared with it when it had booted, and it serves pages by now. */
    static void comparedLate(Topology topology) {
        List<String> closed = topology.closedElsewhere();
        if (!closed.isEmpty()) {
            LOGGER.severe(sentence(closed));
            // takes no builds, and the load balancer sends nobody any more
            Membership.active().ifPresent(membership -> membership.claimer().drain(true));
        }
    }

    private static String sentence(List<String> closed) {
        return "HA Jenkins does not let this controller into the cluster: anybody may administer it"
                + " without logging in, but on "
                + String.join(" and ", closed)
                + " people must log in; visitors whom a load balancer sends here would be"
                + " administrators. Copy config.xml and the folder users/ from there into this"
                + " controller's home (and what else its login needs), and start it again.";
    }

    /** Ends the boot: Jenkins goes on past an exception. */
    static final class Refused extends Error {
        private static final long serialVersionUID = 1L;

        Refused(String sentence) {
            super(sentence);
        }
    }
}
