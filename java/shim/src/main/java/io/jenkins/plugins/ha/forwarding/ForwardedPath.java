package io.jenkins.plugins.ha.forwarding;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import jenkins.util.SystemProperties;

/**
 * The address of something below a build that only the controller which runs the build can answer.
 * What the shared files tell (log, artifacts, build.xml) is none: each controller reads those.
 *
 * @param job the address of the job, with the folders and views that one came by
 * @param build the number, or a permalink
 * @param rest what is below the build's own address, without a slash before it; not decoded
 */
record ForwardedPath(String job, String build, String rest) {
    /** Names of such pages of the Pipeline plugins: the first part of the address below a build. */
    private static final List<String> NAMES =
            List.of(
                    "input",
                    "replay",
                    "restart",
                    "pause",
                    "wfapi",
                    "execution",
                    "flowGraphTable",
                    "stages",
                    "pipeline-overview",
                    "pipeline-graph",
                    "pipeline-console");

    /** Names of more, divided by commas, for plugins that the list does not know. */
    private static final String MORE =
            SystemProperties.getString("io.jenkins.plugins.ha.forwarded", "");

    /**
     * Pages that each controller can make, but only the one that runs the build with all that leads
     * from there to what it asks: the question of an input, say.
     */
    private static final String PAGES = "(?:console|consoleFull|changes|parameters)?/?";

    private static final Pattern PATH =
            Pattern.compile(
                    "((?:/(?:(?:job|item|view)/[^/]+|user/[^/]+/my-views|me/my-views))+)"
                            + "/([0-9]{1,9}|[A-Za-z][\\w-]*)/((?:"
                            + names()
                            + ")(?:/.*)?|"
                            + PAGES
                            + ")");

    /**
     * @param path of a request, as it was sent, without the context path
     * @return null when every controller can answer it just as well
     */
    static ForwardedPath of(String path) {
        Matcher match = PATH.matcher(path);
        return match.matches() && !path.contains("/../")
                ? new ForwardedPath(match.group(1), match.group(2), match.group(3))
                : null;
    }

    /** Whether every controller can answer it, though not as well. */
    boolean isPage() {
        return rest.matches(PAGES);
    }

    private static String names() {
        Set<String> names = new LinkedHashSet<>(NAMES);
        for (String name : MORE.split(",")) {
            if (!name.isBlank()) {
                names.add(name.trim());
            }
        }
        return String.join("|", names.stream().map(Pattern::quote).toList());
    }
}
