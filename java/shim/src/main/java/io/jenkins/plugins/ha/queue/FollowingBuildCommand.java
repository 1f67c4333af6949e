package io.jenkins.plugins.ha.queue;

import hudson.Extension;
import hudson.cli.BuildCommand;
import hudson.model.Queue;
import hudson.model.Result;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.bridge.Item;
import io.jenkins.plugins.ha.bridge.ItemState;
import java.util.Optional;

/**
 * Core's {@code build} command: with {@code -s} and {@code -f} it answers with the result of the
 * build that it saw start. If that one died with its controller, what counts is how its re-run
 * ended, for which the command has waited by then.
 */
@Extension(ordinal = 1000) // before core's, which has the same name
public final class FollowingBuildCommand extends BuildCommand {
    @Override
    public String getName() {
        return "build";
    }

    @Override
    protected int run() throws Exception {
        int code = super.run();
        Membership membership = Membership.active().orElse(null);
        if (code == 0
                || membership == null
                || !(sync || follow)
                || !(Queue.getInstance() instanceof HaQueue queue)) {
            return code;
        }
        try {
            Optional<Item> last = membership.view().lastOf(queue.accepted());
            if (last.isEmpty()
                    || last.get().state() != ItemState.DONE
                    || last.get().id() == queue.accepted()) {
                return code;
            }
            Item again = last.get();
            stdout.println(
                    "Its controller died; it ran again as "
                            + again.job()
                            + " #"
                            + again.number()
                            + " : "
                            + again.result());
            return Result.fromString(again.result()).ordinal;
        } catch (HaException e) {
            return code; // Redis is away: what core says is all there is
        }
    }
}
