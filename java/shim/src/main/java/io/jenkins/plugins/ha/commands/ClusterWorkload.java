package io.jenkins.plugins.ha.commands;

import hudson.model.Job;
import io.jenkins.plugins.ha.Age;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.bridge.Item;
import io.jenkins.plugins.ha.bridge.ItemState;
import io.jenkins.plugins.ha.trace.ControllerNames;
import io.jenkins.plugins.ha.trace.WhyItWaits;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Date;
import java.util.List;
import jenkins.model.Jenkins;
import org.kohsuke.stapler.export.Exported;
import org.kohsuke.stapler.export.ExportedBean;

/**
 * What waits in the cluster and what runs where, of the jobs that the present user may read. From
 * memory, and no more of it than a page can show.
 */
final class ClusterWorkload {
    /** So many rows of each are shown; counts count all. */
    static final int MOST = 200;

    private final List<WorkRow> waiting = new ArrayList<>();
    private final List<WorkRow> running = new ArrayList<>();

    ClusterWorkload(Membership membership) {
        ControllerNames names = new ControllerNames(membership);
        List<Item> living = new ArrayList<>(membership.view().living());
        living.sort(Comparator.comparingLong(Item::enqueuedMillis).thenComparingLong(Item::id));
        for (Item item : living) {
            boolean begun =
                    item.state() == ItemState.STARTING
                            || item.state() == ItemState.RUNNING
                            || item.state() == ItemState.ORPHANED;
            List<WorkRow> rows = begun ? running : waiting;
            Job<?, ?> job = rows.size() < MOST ? readable(item.job()) : null;
            if (job != null) {
                rows.add(new WorkRow(item, job, names.of(item.owner())));
            }
        }
    }

    private static Job<?, ?> readable(String job) {
        try {
            return Jenkins.get().getItemByFullName(job, Job.class);
        } catch (RuntimeException e) { // may know of it, may not read it
            return null;
        }
    }

    List<WorkRow> waiting() {
        return waiting;
    }

    List<WorkRow> running() {
        return running;
    }

    /** A queue item, waiting or being built. */
    @ExportedBean(defaultVisibility = 999)
    public static final class WorkRow {
        private final Item item;
        private final Job<?, ?> job;
        private final String controller;

        WorkRow(Item item, Job<?, ?> job, String controller) {
            this.item = item;
            this.job = job;
            this.controller = controller;
        }

        /** The queue item; {@code /ha/item/N/} tells what happened to it. */
        @Exported
        public long getId() {
            return item.id();
        }

        @Exported
        public String getJob() {
            return job.getFullName();
        }

        /** Below Jenkins' own address. */
        public String getJobUrl() {
            return job.getUrl();
        }

        /** Name of the controller that holds it or builds it; "" for none. */
        @Exported
        public String getController() {
            return controller;
        }

        /** The build's number; 0 while it waits. */
        @Exported
        public int getNumber() {
            return item.number();
        }

        /** The same in digits alone, for a sentence. */
        public String getNumberText() {
            return Integer.toString(item.number());
        }

        /** From when on it is in the queue, ms since 1970. */
        @Exported
        public long getSince() {
            return item.enqueuedMillis();
        }

        /** The same, for the page. */
        public Date getSinceTime() {
            return new Date(item.enqueuedMillis());
        }

        /** For how long it has been in the queue, for people. */
        public String getAge() {
            return Age.since(item.enqueuedMillis());
        }

        /** Why it waits, as Jenkins says it, or what was said when it was handed back; else "". */
        @Exported
        public String getWhy() {
            if (item.number() > 0) {
                return item.state() == ItemState.ORPHANED ? item.why() : "";
            }
            return WhyItWaits.of(item.id(), item.why());
        }

        /** Whether the present user may end it. */
        public boolean isMayCancel() {
            return job.hasPermission(hudson.model.Item.CANCEL);
        }
    }
}
