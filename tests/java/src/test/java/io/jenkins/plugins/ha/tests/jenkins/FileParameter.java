package io.jenkins.plugins.ha.tests.jenkins;

import io.jenkins.plugins.ha.stage.JenkinsClient;

/**
 * Freestyle jobs with a file parameter, whose builds are tied to the controller that has the file.
 */
final class FileParameter {
    private static final String NAME = "upload.txt";
    private static final String BOUNDARY = "------boundary7x";

    private FileParameter() {}

    /** config.xml of a job that takes a file and runs this. */
    static String job(String shell) {
        return "<?xml version='1.1' encoding='UTF-8'?>\n"
                + "<project><keepDependencies>false</keepDependencies>"
                + "<properties><hudson.model.ParametersDefinitionProperty><parameterDefinitions>"
                + "<hudson.model.FileParameterDefinition><name>"
                + NAME
                + "</name></hudson.model.FileParameterDefinition>"
                + "</parameterDefinitions></hudson.model.ParametersDefinitionProperty></properties>"
                + "<scm class=\"hudson.scm.NullSCM\"/><canRoam>true</canRoam>"
                + "<disabled>false</disabled><concurrentBuild>false</concurrentBuild>"
                + "<builders><hudson.tasks.Shell><command>"
                + shell
                + "</command></hudson.tasks.Shell></builders><publishers/><buildWrappers/>"
                + "</project>\n";
    }

    /** Triggers a build with a file of this content; the answer's status. */
    static int trigger(JenkinsClient on, String job, String content, int quietSeconds) {
        String body =
                "--"
                        + BOUNDARY
                        + "\r\nContent-Disposition: form-data; name=\""
                        + NAME
                        + "\"; filename=\"some.txt\"\r\nContent-Type: text/plain\r\n\r\n"
                        + content
                        + "\r\n--"
                        + BOUNDARY
                        + "--\r\n";
        return on.post(
                        JenkinsClient.jobPath(job)
                                + "buildWithParameters?delay="
                                + quietSeconds
                                + "sec",
                        "multipart/form-data; boundary=" + BOUNDARY,
                        body)
                .statusCode();
    }
}
