package io.jenkins.plugins.ha.records;

import hudson.Util;
import io.jenkins.plugins.ha.Age;
import io.jenkins.plugins.ha.bridge.BuildPage;
import io.jenkins.plugins.ha.bridge.BuildRow;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import org.kohsuke.stapler.export.Exported;
import org.kohsuke.stapler.export.ExportedBean;

/** A page of builds, as shown and as answered by the API. */
@ExportedBean
public final class FoundBuilds {
    private final List<FoundBuild> builds;
    private final String next;
    private final String problem;

    private FoundBuilds(List<FoundBuild> builds, String next, String problem) {
        this.builds = builds;
        this.next = next;
        this.problem = problem;
    }

    static FoundBuilds of(BuildPage page) {
        List<FoundBuild> builds = new ArrayList<>();
        page.builds().forEach(row -> builds.add(new FoundBuild(row)));
        return new FoundBuilds(builds, page.next(), "");
    }

    static FoundBuilds none(String problem) {
        return new FoundBuilds(List.of(), "", problem);
    }

    @Exported(inline = true)
    public List<FoundBuild> getBuilds() {
        return builds;
    }

    /** To be given as {@code after} for the next page; "" on the last. */
    @Exported
    public String getNext() {
        return next;
    }

    /** Why nothing could be found, or "". */
    public String getProblem() {
        return problem;
    }

    /** One build. */
    @ExportedBean(defaultVisibility = 999)
    public static final class FoundBuild {
        private final BuildRow row;

        FoundBuild(BuildRow row) {
            this.row = row;
        }

        @Exported
        public String getJob() {
            return row.job();
        }

        @Exported
        public int getNumber() {
            return row.number();
        }

        @Exported
        public String getState() {
            return row.state().name();
        }

        @Exported
        public String getResult() {
            return row.result();
        }

        @Exported
        public long getStarted() {
            return row.startedMillis();
        }

        @Exported
        public long getDuration() {
            return row.durationMillis();
        }

        @Exported
        public long getQueueId() {
            return row.queueId();
        }

        @Exported
        public String getController() {
            return row.controllerName();
        }

        @Exported
        public String getAgent() {
            return row.agent();
        }

        @Exported
        public String getDisplayName() {
            return row.displayName();
        }

        @Exported
        public String getDescription() {
            return row.description();
        }

        /** Whether the record or the build's file cannot be read. */
        @Exported
        public boolean isUnreadable() {
            return row.unreadable();
        }

        /** Why it cannot be read, or "". */
        @Exported
        public String getDamage() {
            return row.damage();
        }

        @Exported
        public boolean isKeep() {
            return row.keep();
        }

        @Exported
        public List<String> getCauses() {
            return row.causes();
        }

        @Exported
        public List<String> getUsers() {
            return row.users();
        }

        @Exported
        public List<String> getCommits() {
            return row.commits();
        }

        @Exported(inline = true)
        public List<FoundParameter> getParameters() {
            List<FoundParameter> parameters = new ArrayList<>();
            row.parameters()
                    .forEach((name, value) -> parameters.add(new FoundParameter(name, value)));
            return parameters;
        }

        /** Below Jenkins' own URL. */
        public String getUrl() {
            StringBuilder url = new StringBuilder();
            for (String segment : row.job().split("/")) {
                url.append("job/").append(Util.rawEncode(segment)).append('/');
            }
            return url.append(row.number()).append('/').toString();
        }

        /** When it started, for people. */
        public Date getTime() {
            return new Date(row.startedMillis());
        }

        /** How long ago it started, for people. */
        public String getAge() {
            return Age.since(row.startedMillis());
        }

        /** Its result or that it runs, in Jenkins' words. */
        public String getOutcome() {
            return Choice.textOf(wanted());
        }

        /** Jenkins' symbol for that. */
        public String getIcon() {
            return switch (wanted()) {
                case "RUNNING" -> "symbol-status-nobuilt-anime";
                case "SUCCESS" -> "symbol-status-blue";
                case "UNSTABLE" -> "symbol-status-yellow";
                case "FAILURE" -> "symbol-status-red";
                case "ABORTED" -> "symbol-status-aborted";
                default -> "symbol-status-nobuilt";
            };
        }

        /** As a search for it would ask. */
        private String wanted() {
            return row.result().isEmpty() ? row.state().name() : row.result();
        }

        /** How long it took, for people. */
        public String getTook() {
            return row.state() == BuildRow.State.RUNNING
                    ? ""
                    : Util.getTimeSpanString(row.durationMillis());
        }
    }

    /** One parameter; the value of a sensitive one is {@code ****}. */
    @ExportedBean(defaultVisibility = 999)
    public static final class FoundParameter {
        private final String name;
        private final String value;

        FoundParameter(String name, String value) {
            this.name = name;
            this.value = value;
        }

        @Exported
        public String getName() {
            return name;
        }

        @Exported
        public String getValue() {
            return value;
        }
    }
}
