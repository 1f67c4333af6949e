package io.jenkins.plugins.ha.commands;

import io.jenkins.plugins.ha.Age;
import io.jenkins.plugins.ha.bridge.Moment;
import io.jenkins.plugins.ha.trace.ControllerNames;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Date;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.kohsuke.stapler.export.Exported;
import org.kohsuke.stapler.export.ExportedBean;

/** One line of the cluster's timeline. */
@ExportedBean(defaultVisibility = 999)
public final class TimelineRow {
    private final Moment moment;
    private final ControllerNames names;
    private final String versionBefore;

    private TimelineRow(Moment moment, ControllerNames names, String versionBefore) {
        this.moment = moment;
        this.names = names;
        this.versionBefore = versionBefore;
    }

    /**
     * @param newestFirst as they were told
     */
    static List<TimelineRow> of(List<Moment> newestFirst, ControllerNames names) {
        List<Moment> oldestFirst = new ArrayList<>(newestFirst);
        Collections.reverse(oldestFirst);
        Map<String, String> versions = new HashMap<>();
        List<TimelineRow> rows = new ArrayList<>();
        for (Moment moment : oldestFirst) {
            String before =
                    moment.what().equals("joined")
                            ? versions.put(moment.controllerId(), moment.text())
                            : null;
            rows.add(new TimelineRow(moment, names, before == null ? "" : before));
        }
        Collections.reverse(rows);
        return rows;
    }

    /** When, ms since 1970. */
    @Exported
    public long getAt() {
        return moment.atMillis();
    }

    /** The same, for the page. */
    public Date getTime() {
        return new Date(moment.atMillis());
    }

    /** How long ago, for people. */
    public String getAge() {
        return Age.since(moment.atMillis());
    }

    /**
     * {@code joined}, {@code upgraded}, {@code ended}, {@code adopted}, {@code reran}, {@code
     * handed-over}, {@code drained} or {@code undrained}.
     */
    @Exported
    public String getWhat() {
        return upgraded() ? "upgraded" : moment.what();
    }

    /** Name of the controller that it is about. */
    @Exported
    public String getController() {
        return moment.name().isEmpty() ? names.of(moment.controllerId()) : moment.name();
    }

    @Exported
    public String getControllerId() {
        return moment.controllerId();
    }

    /** The queue items that it moved; the first twenty. */
    @Exported
    public List<Long> getItems() {
        return moment.items();
    }

    /** In words. */
    @Exported
    public String getText() {
        return switch (getWhat()) {
            case "joined" -> "Joined with version " + moment.text();
            case "upgraded" -> "Joined with version " + moment.text() + ", before " + versionBefore;
            case "ended" ->
                    moment.text()
                            + ": "
                            + moment.waitAgain()
                            + " that it had claimed wait again, "
                            + moment.begun()
                            + " that it ran are for others to decide on"
                            + (moment.items().isEmpty() ? "" : ":");
            case "adopted" -> "Goes on with the build of another controller:";
            case "reran" ->
                    "Has a build run again that ended with its controller; before and after:";
            case "handed-over" -> "Hands a build over to " + names.of(moment.text()) + ":";
            case "drained" -> "Takes no more builds: drained" + by();
            case "undrained" -> "Takes builds again" + by();
            default -> moment.what() + " " + moment.text();
        };
    }

    private String by() {
        return moment.text().isEmpty() ? "" : " by " + moment.text();
    }

    private boolean upgraded() {
        return moment.what().equals("joined")
                && !versionBefore.isEmpty()
                && !versionBefore.equals(moment.text());
    }
}
