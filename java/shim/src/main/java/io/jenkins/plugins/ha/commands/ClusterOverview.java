package io.jenkins.plugins.ha.commands;

import hudson.ExtensionList;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.bridge.Item;
import io.jenkins.plugins.ha.bridge.ItemState;
import io.jenkins.plugins.ha.bridge.Member;
import io.jenkins.plugins.ha.health.ClusterMonitor;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.kohsuke.stapler.export.Exported;
import org.kohsuke.stapler.export.ExportedBean;

/** The cluster at one moment, for an admin. */
@ExportedBean
public final class ClusterOverview {
    /** Who does not answer in this time is shown as not answering. */
    private static final long ANSWER_MILLIS = 1000;

    private final Membership membership;
    private final List<MemberRow> controllers = new ArrayList<>();
    private String problem = "";

    private ClusterOverview(Membership membership) {
        this.membership = membership;
    }

    /**
     * Asks all controllers, at once, for a second and a half at the most.
     *
     * @param membership null on a plain Jenkins
     */
    static ClusterOverview of(Membership membership) {
        ClusterOverview overview = new ClusterOverview(membership);
        if (membership == null) {
            String why = ExtensionList.lookupSingleton(ClusterMonitor.class).getProblem();
            overview.problem =
                    why.isEmpty()
                            ? "This Jenkins is in no cluster (Manage Jenkins > System > HA)."
                            : why;
            return overview;
        }
        try {
            overview.ask();
        } catch (HaException e) {
            overview.problem = e.getMessage();
            overview.controllers.add(
                    overview.row(
                            new Member(
                                    membership.identity().id(),
                                    membership.link().epoch(),
                                    membership.identity().name(),
                                    membership.settings().url(),
                                    "",
                                    0),
                            ControllerStatus.here(membership)));
        }
        return overview;
    }

    /** Why this is not all there is to know; "" when it is. */
    @Exported
    public String getProblem() {
        return problem;
    }

    /** Name of the cluster; "" on a plain Jenkins. */
    @Exported
    public String getCluster() {
        return membership == null ? "" : membership.settings().cluster();
    }

    /** How this controller stands with Redis. */
    @Exported
    public String getRedis() {
        return membership == null ? "" : membership.link().text();
    }

    /** How this controller stands with the database of build records. */
    @Exported
    public String getRecords() {
        if (membership == null) {
            return "";
        }
        String wrong = membership.records().problem();
        return wrong.isEmpty() ? "Builds are recorded" : wrong;
    }

    /**
     * Items that no controller holds, as far as is known here: while Redis is away those of before,
     * and those that were accepted here since.
     */
    @Exported
    public int getWaiting() {
        return membership == null ? 0 : membership.view().waitingUnclaimed();
    }

    /** By name. */
    @Exported(inline = true)
    public List<MemberRow> getControllers() {
        return controllers;
    }

    private void ask() {
        List<Member> members = new ArrayList<>(membership.cluster().members());
        members.sort(Comparator.comparing(Member::name).thenComparing(Member::controllerId));
        Map<Member, Future<ControllerStatus>> answers = new HashMap<>();
        ExecutorService threads = Executors.newFixedThreadPool(Math.max(1, members.size()));
        try {
            for (Member member : members) {
                answers.put(member, threads.submit(() -> statusOf(member)));
            }
            for (Member member : members) {
                controllers.add(row(member, answer(answers.get(member))));
            }
        } finally {
            threads.shutdownNow();
        }
    }

    private ControllerStatus statusOf(Member member) {
        if (member.controllerId().equals(membership.identity().id())) {
            return ControllerStatus.here(membership);
        }
        String answer =
                membership.ask(member.controllerId(), ControllerStatus.TOPIC, "", ANSWER_MILLIS);
        return ControllerStatus.ofText(answer);
    }

    /** Null when it did not come. */
    private static ControllerStatus answer(Future<ControllerStatus> answer) {
        try {
            return answer.get(ANSWER_MILLIS * 3 / 2, TimeUnit.MILLISECONDS);
        } catch (ExecutionException | TimeoutException e) {
            return null;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return null;
        }
    }

    private MemberRow row(Member member, ControllerStatus status) {
        int running = 0;
        int claimed = 0;
        for (Item item : membership.view().held()) {
            if (item.owner().equals(member.controllerId())) {
                boolean runs =
                        item.state() == ItemState.RUNNING || item.state() == ItemState.STARTING;
                running += runs ? 1 : 0;
                claimed += item.state() == ItemState.CLAIMED ? 1 : 0;
            }
        }
        return new MemberRow(
                member,
                Optional.ofNullable(status),
                member.controllerId().equals(membership.identity().id()),
                running,
                claimed);
    }

    /** A controller. */
    @ExportedBean(defaultVisibility = 999)
    public static final class MemberRow {
        private final Member member;
        private final Optional<ControllerStatus> status;
        private final boolean here;
        private final int running;
        private final int claimed;

        MemberRow(
                Member member,
                Optional<ControllerStatus> status,
                boolean here,
                int running,
                int claimed) {
            this.member = member;
            this.status = status;
            this.here = here;
            this.running = running;
            this.claimed = claimed;
        }

        @Exported
        public String getId() {
            return member.controllerId();
        }

        @Exported
        public String getName() {
            return member.name();
        }

        /** Where it is reached directly, if that was set. */
        @Exported
        public String getUrl() {
            return member.url();
        }

        /** Whether it is the one that answers. */
        @Exported
        public boolean isHere() {
            return here;
        }

        @Exported
        public String getPlugin() {
            return member.version();
        }

        @Exported
        public String getJenkins() {
            return status.map(ControllerStatus::jenkins).orElse("");
        }

        @Exported
        public long getEpoch() {
            return member.epoch();
        }

        /** How long its lease lasts if it is not renewed, ms. */
        @Exported
        public long getLeaseMillis() {
            return member.leaseMillis();
        }

        /** Builds of the cluster that it runs. */
        @Exported
        public int getRunning() {
            return running;
        }

        /** Items that it has claimed and not started. */
        @Exported
        public int getClaimed() {
            return claimed;
        }

        /** Executors at work. */
        @Exported
        public int getBusy() {
            return status.map(ControllerStatus::busy).orElse(0);
        }

        @Exported
        public boolean isDraining() {
            return status.map(ControllerStatus::draining).orElse(false);
        }

        /** What is wrong with its build records, or "". */
        @Exported
        public String getRecords() {
            return status.map(ControllerStatus::records).orElse("");
        }

        /** In a few words. */
        @Exported
        public String getState() {
            if (status.isEmpty()) {
                return "does not answer";
            }
            if (member.leaseMillis() <= 0) {
                return "cut off: takes no builds";
            }
            if (status.get().draining()) {
                return running > 0 ? "draining" : "drained";
            }
            return status.get().quietingDown() ? "quieted down" : "takes builds";
        }
    }
}
