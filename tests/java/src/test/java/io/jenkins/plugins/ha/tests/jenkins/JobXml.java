package io.jenkins.plugins.ha.tests.jenkins;

/** config.xml of jobs that need a plugin. */
final class JobXml {
    private JobXml() {}

    /** A Pipeline, in the sandbox; needs workflow-job and workflow-cps. */
    static String pipeline(String script) {
        return pipeline(script, "");
    }

    /** As {@link #pipeline(String)}, with properties of the job. */
    static String pipeline(String script, String properties) {
        return "<?xml version='1.1' encoding='UTF-8'?>\n<flow-definition><properties>"
                + properties
                + "</properties><definition"
                + " class=\"org.jenkinsci.plugins.workflow.cps.CpsFlowDefinition\"><script>"
                + escape(script)
                + "</script><sandbox>true</sandbox></definition></flow-definition>\n";
    }

    /** Properties of a Pipeline that is built one at a time, with a parameter P. */
    static String oneAtATime(boolean abortPrevious) {
        String exclusive =
                "org.jenkinsci.plugins.workflow.job.properties.DisableConcurrentBuildsJobProperty";
        return "<%1$s><abortPrevious>%2$s</abortPrevious></%1$s>"
                        .formatted(exclusive, abortPrevious)
                + parameter();
    }

    /** Properties of a job with a parameter P. */
    static String parameter() {
        return "<hudson.model.ParametersDefinitionProperty><parameterDefinitions>"
                + "<hudson.model.StringParameterDefinition><name>P</name><defaultValue/>"
                + "</hudson.model.StringParameterDefinition></parameterDefinitions>"
                + "</hudson.model.ParametersDefinitionProperty>";
    }

    /** One axis, one shell step for each of its values; needs matrix-project. */
    static String matrix(String axis, String shell, String... values) {
        StringBuilder xml = new StringBuilder("<?xml version='1.1' encoding='UTF-8'?>\n");
        xml.append("<matrix-project><keepDependencies>false</keepDependencies><properties/>");
        xml.append("<scm class=\"hudson.scm.NullSCM\"/><canRoam>true</canRoam>");
        xml.append("<disabled>false</disabled><concurrentBuild>false</concurrentBuild>");
        xml.append("<axes><hudson.matrix.TextAxis><name>").append(axis).append("</name><values>");
        for (String value : values) {
            xml.append("<string>").append(value).append("</string>");
        }
        xml.append("</values></hudson.matrix.TextAxis></axes>");
        xml.append("<builders><hudson.tasks.Shell><command>").append(escape(shell));
        xml.append("</command></hudson.tasks.Shell></builders><publishers/><buildWrappers/>");
        xml.append(
                "<executionStrategy class=\"hudson.matrix.DefaultMatrixExecutionStrategyImpl\">");
        xml.append("<runSequentially>false</runSequentially></executionStrategy>");
        return xml.append("</matrix-project>\n").toString();
    }

    /** A job that runs this script of Job DSL; it deletes what it no longer makes. */
    static String seed(String script) {
        return "<?xml version='1.1' encoding='UTF-8'?>\n<project><builders>"
                + "<javaposse.jobdsl.plugin.ExecuteDslScripts><scriptText>"
                + escape(script)
                + "</scriptText><usingScriptText>true</usingScriptText>"
                + "<removedJobAction>DELETE</removedJobAction>"
                + "<removedViewAction>DELETE</removedViewAction>"
                + "<removedConfigFilesAction>IGNORE</removedConfigFilesAction>"
                + "<lookupStrategy>JENKINS_ROOT</lookupStrategy>"
                + "</javaposse.jobdsl.plugin.ExecuteDslScripts></builders></project>\n";
    }

    private static String escape(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
    }
}
