package io.jenkins.plugins.ha.queue;

import io.jenkins.plugins.ha.bridge.Cluster;
import io.jenkins.plugins.ha.bridge.Item;
import io.jenkins.plugins.ha.bridge.MovedItem;
import io.jenkins.plugins.ha.bridge.MovedJob;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.logging.Level;
import java.util.logging.Logger;
import jenkins.model.Jenkins;

/** Queue items of jobs with a new full name wait, and run, under that name. */
public final class MovedQueueItems {
    private static final Logger LOGGER = Logger.getLogger(MovedQueueItems.class.getName());

    /** What goes into one script. */
    private static final int MOST = 50;

    private MovedQueueItems() {}

    /**
     * Has all that the cluster keeps of the jobs follow; may be repeated. A few round trips. As
     * SYSTEM.
     *
     * @param moves old full names with the new ones
     * @return how many queue items followed
     */
    public static long follow(Cluster cluster, Map<String, String> moves) {
        Map<String, String> names = new LinkedHashMap<>(moves);
        // what is queued under a name that was given anew is of the job that has it now
        names.keySet().removeIf(from -> Jenkins.get().getItemByFullName(from) != null);
        if (names.isEmpty()) {
            return 0;
        }
        List<MovedJob> jobs = new ArrayList<>();
        List<MovedItem> items = new ArrayList<>();
        long moved = 0;
        for (Item listed : cluster.items()) {
            String to = names.get(listed.job());
            Item item = to == null ? null : cluster.item(listed.id()).orElse(null);
            if (item == null || item.payload() == null) {
                continue;
            }
            try {
                byte[] payload = Payload.renamed(item.payload(), listed.job(), to);
                items.add(new MovedItem(item.id(), jobs.size(), payload));
                jobs.add(new MovedJob(listed.job(), to));
            } catch (IOException | Payload.Newer e) {
                LOGGER.log(
                        Level.WARNING,
                        "Queue item "
                                + item.id()
                                + " of "
                                + listed.job()
                                + " cannot follow its job to "
                                + to
                                + ": cancel it and trigger the build again",
                        e);
            }
            if (items.size() == MOST) {
                moved += cluster.jobsMoved(jobs, items);
                jobs.clear();
                items.clear();
            }
        }
        names.forEach((from, to) -> jobs.add(new MovedJob(from, to)));
        return moved + cluster.jobsMoved(jobs, items);
    }
}
