package io.jenkins.plugins.ha.commands;

import hudson.ExtensionList;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.bridge.Item;
import io.jenkins.plugins.ha.bridge.ItemState;
import io.jenkins.plugins.ha.bridge.KnownController;
import io.jenkins.plugins.ha.bridge.Member;
import io.jenkins.plugins.ha.health.ClusterMonitor;
import io.jenkins.plugins.ha.topology.ControllerFacts;
import io.jenkins.plugins.ha.trace.ControllerNames;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
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
    private static final int MOST_ASKED_AT_ONCE = 20;

    private static final long ANSWER_MILLIS = 1000;

    private static final int SHOWN_MOMENTS = 100;

    private final Membership membership;
    private final List<MemberRow> controllers = new ArrayList<>();
    private final List<GoneRow> gone = new ArrayList<>();
    private final Map<String, KnownController> known = new HashMap<>();
    private String problem = "";
    private ClusterWorkload workload;

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

    /** What waits, oldest first, of the jobs that the caller may read; 200 at the most. */
    @Exported(inline = true)
    public List<ClusterWorkload.WorkRow> getWaitingItems() {
        return membership == null ? List.of() : workload().waiting();
    }

    /** What runs, and where, of the jobs that the caller may read; 200 at the most. */
    @Exported(inline = true)
    public List<ClusterWorkload.WorkRow> getBuilds() {
        return membership == null ? List.of() : workload().running();
    }

    /** What happened to the controllers, newest first; of the last thousand the newest hundred. */
    @Exported(inline = true)
    public List<TimelineRow> getMoments() {
        if (membership == null) {
            return List.of();
        }
        try {
            return TimelineRow.of(
                    membership.cluster().moments(SHOWN_MOMENTS), new ControllerNames(membership));
        } catch (HaException e) {
            return List.of(); // why is in the problem
        }
    }

    private ClusterWorkload workload() {
        if (workload == null) {
            workload = new ClusterWorkload(membership);
        }
        return workload;
    }

    /** What is left to be done, and what is done; empty once the cluster is healthy. */
    @Exported(inline = true)
    public List<CheckList.Step> getSteps() {
        if (membership == null) {
            return List.of();
        }
        return new CheckList(membership, controllers.size()).open();
    }

    /** By name. */
    @Exported(inline = true)
    public List<MemberRow> getControllers() {
        return controllers;
    }

    /** Those that died and are not back. */
    @Exported(inline = true)
    public List<GoneRow> getGone() {
        return gone;
    }

    private void ask() {
        membership.topology().look();
        for (KnownController one : membership.topology().known()) {
            known.put(one.controllerId(), one);
            if (!one.lives()) {
                gone.add(new GoneRow(one));
            }
        }
        List<Member> members = new ArrayList<>(membership.cluster().members());
        members.sort(Comparator.comparing(Member::name).thenComparing(Member::controllerId));
        Map<Member, Future<ControllerStatus>> answers = new HashMap<>();
        ExecutorService threads =
                Executors.newFixedThreadPool(
                        Math.max(1, Math.min(members.size(), MOST_ASKED_AT_ONCE)),
                        work -> {
                            Thread thread = new Thread(work, "ha-jenkins-overview");
                            thread.setDaemon(true);
                            return thread;
                        });
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
        KnownController home = known.get(member.controllerId());
        return new MemberRow(
                member,
                Optional.ofNullable(status),
                Optional.ofNullable(home),
                home == null ? List.of() : membership.topology().differences(home),
                member.controllerId().equals(membership.identity().id()),
                running,
                claimed);
    }

    /** A controller. */
    @ExportedBean(defaultVisibility = 999)
    public static final class MemberRow {
        private final Member member;
        private final Optional<ControllerStatus> status;
        private final Optional<KnownController> home;
        private final List<String> differences;
        private final boolean here;
        private final int running;
        private final int claimed;

        MemberRow(
                Member member,
                Optional<ControllerStatus> status,
                Optional<KnownController> home,
                List<String> differences,
                boolean here,
                int running,
                int claimed) {
            this.member = member;
            this.status = status;
            this.home = home;
            this.differences = differences;
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

        /** Its host and the folder of its home; "" if not known. */
        @Exported
        public String getHost() {
            return home.map(KnownController::host).orElse("");
        }

        @Exported
        public String getJava() {
            return home.map(one -> ControllerFacts.ofText(one.facts()).java()).orElse("");
        }

        /** How it differs from the one that answers, a few words each. */
        @Exported
        public List<String> getDifferences() {
            return differences;
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

        /** A sentence for each Pipeline that keeps it from being drained, and why. */
        @Exported
        public List<String> getStaying() {
            return status.map(ControllerStatus::staying).orElse(List.of());
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
                boolean atWork = running + claimed + status.get().running() > 0;
                return atWork ? "draining" : "drained";
            }
            return status.get().quietingDown() ? "quieted down" : "takes builds";
        }

        /** A symbol that says the same at a glance. */
        public String getIcon() {
            if (status.isEmpty() || member.leaseMillis() <= 0) {
                return "symbol-computer-offline";
            }
            boolean takes = !status.get().draining() && !status.get().quietingDown();
            return takes ? "symbol-computer" : "symbol-computer-paused";
        }
    }

    /** A controller that died and is not back. */
    @ExportedBean(defaultVisibility = 999)
    public static final class GoneRow {
        private final KnownController controller;

        GoneRow(KnownController controller) {
            this.controller = controller;
        }

        @Exported
        public String getId() {
            return controller.controllerId();
        }

        @Exported
        public String getName() {
            return controller.name();
        }

        @Exported
        public String getHost() {
            return controller.host();
        }

        /** For how long, ms. */
        @Exported
        public long getGoneMillis() {
            return controller.goneMillis();
        }

        /** How many of the builds that it ran when it died run again. */
        @Exported
        public long getReran() {
            return controller.reran();
        }

        /** Since when, for people. */
        public String getSince() {
            return Instant.now()
                    .minusMillis(controller.goneMillis())
                    .truncatedTo(ChronoUnit.SECONDS)
                    .toString();
        }
    }
}
