package io.jenkins.plugins.ha.doctor;

import net.sf.json.JSONObject;
import org.kohsuke.stapler.export.Exported;
import org.kohsuke.stapler.export.ExportedBean;

/** One thing that is wrong, or will be: what was seen, and what mends it. */
@ExportedBean
public final class Finding {
    /** How much it matters. */
    public enum Severity {
        /** Builds or data are at risk, or a controller does not do its part. */
        ERROR,
        /** Something does not work as on one Jenkins, or will fail later. */
        WARNING,
        /** Worth knowing. */
        NOTE
    }

    private final Severity severity;
    private final String name;
    private final String controller;
    private final String evidence;
    private final String remedy;
    private final String link;

    /**
     * @param name of its kind, for scripts: {@code workspace-in-jobs}
     * @param controller on which it was seen; "" for the cluster
     * @param evidence what was seen, in a sentence
     * @param remedy what an admin can do, in a sentence
     * @param link a page of this Jenkins, from its root, or ""
     */
    Finding(
            Severity severity,
            String name,
            String controller,
            String evidence,
            String remedy,
            String link) {
        this.severity = severity;
        this.name = name;
        this.controller = controller;
        this.evidence = evidence;
        this.remedy = remedy;
        this.link = link;
    }

    /** The same, seen on this controller. */
    Finding on(String who) {
        return new Finding(severity, name, who, evidence, remedy, link);
    }

    @Exported
    public Severity getSeverity() {
        return severity;
    }

    @Exported
    public String getName() {
        return name;
    }

    @Exported
    public String getController() {
        return controller;
    }

    @Exported
    public String getEvidence() {
        return evidence;
    }

    @Exported
    public String getRemedy() {
        return remedy;
    }

    @Exported
    public String getLink() {
        return link;
    }

    /** Its severity in a word, for people. */
    public String getWord() {
        return switch (severity) {
            case ERROR -> "Error";
            case WARNING -> "Warning";
            case NOTE -> "Note";
        };
    }

    /** A symbol for its severity. */
    public String getIcon() {
        return switch (severity) {
            case ERROR -> "symbol-error";
            case WARNING -> "symbol-warning";
            case NOTE -> "symbol-information-circle";
        };
    }

    JSONObject toJson() {
        JSONObject json = new JSONObject();
        json.put("severity", severity.name());
        json.put("name", name);
        json.put("evidence", evidence);
        json.put("remedy", remedy);
        json.put("link", link);
        return json;
    }

    /** Of any version: a severity that is not known here is a warning. */
    static Finding ofJson(JSONObject json, String controller) {
        Severity severity = Severity.WARNING;
        for (Severity one : Severity.values()) {
            severity = one.name().equals(json.optString("severity")) ? one : severity;
        }
        return new Finding(
                severity,
                json.optString("name", "unknown"),
                controller,
                json.optString("evidence"),
                json.optString("remedy"),
                json.optString("link"));
    }

    /** In two lines, for the command line. */
    @Override
    public String toString() {
        return severity
                + " "
                + name
                + (controller.isEmpty() ? "" : " on " + controller)
                + ": "
                + evidence
                + "\n    "
                + remedy;
    }
}
