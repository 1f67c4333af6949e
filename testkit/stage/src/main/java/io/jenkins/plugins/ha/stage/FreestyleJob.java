package io.jenkins.plugins.ha.stage;

import java.util.ArrayList;
import java.util.List;

/** Writes the config.xml of a freestyle job, for real controllers and stand-ins alike. */
public final class FreestyleJob {
    private final List<String> parameters = new ArrayList<>();
    private String shell = "true";
    private boolean concurrent;
    private int quietSeconds = -1;
    private String properties = "";
    private String label = "";

    /** What its one shell step runs. */
    public FreestyleJob shell(String shell) {
        this.shell = shell;
        return this;
    }

    /** Allows builds at the same time. */
    public FreestyleJob concurrent() {
        concurrent = true;
        return this;
    }

    /** Adds a string parameter without default. */
    public FreestyleJob parameter(String name) {
        parameters.add(name);
        return this;
    }

    /** Its own quiet period instead of the controller's. */
    public FreestyleJob quietSeconds(int seconds) {
        quietSeconds = seconds;
        return this;
    }

    /** Runs on nodes of this label alone. */
    public FreestyleJob label(String label) {
        this.label = label;
        return this;
    }

    /** Adds a property as it stands in a config.xml. */
    public FreestyleJob property(String xml) {
        properties += "    " + xml + "\n";
        return this;
    }

    /** The config.xml. */
    public String xml() {
        StringBuilder xml =
                new StringBuilder("<?xml version='1.1' encoding='UTF-8'?>\n<project>\n");
        xml.append("  <keepDependencies>false</keepDependencies>\n");
        xml.append("  <properties>\n").append(properties);
        if (!parameters.isEmpty()) {
            xml.append("    <hudson.model.ParametersDefinitionProperty><parameterDefinitions>\n");
            for (String parameter : parameters) {
                xml.append("    <hudson.model.StringParameterDefinition><name>")
                        .append(escape(parameter))
                        .append("</name><defaultValue></defaultValue>")
                        .append("</hudson.model.StringParameterDefinition>\n");
            }
            xml.append("    </parameterDefinitions></hudson.model.ParametersDefinitionProperty>\n");
        }
        xml.append("  </properties>\n");
        if (quietSeconds >= 0) {
            xml.append("  <quietPeriod>").append(quietSeconds).append("</quietPeriod>\n");
        }
        xml.append("  <scm class=\"hudson.scm.NullSCM\"/>\n");
        if (!label.isEmpty()) {
            xml.append("  <assignedNode>").append(escape(label)).append("</assignedNode>\n");
        }
        xml.append("  <canRoam>")
                .append(label.isEmpty())
                .append("</canRoam>\n  <disabled>false</disabled>\n");
        xml.append("  <concurrentBuild>").append(concurrent).append("</concurrentBuild>\n");
        xml.append("  <builders><hudson.tasks.Shell><command>")
                .append(escape(shell))
                .append("</command></hudson.tasks.Shell></builders>\n");
        return xml.append("  <publishers/>\n  <buildWrappers/>\n</project>\n").toString();
    }

    private static String escape(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
    }
}
