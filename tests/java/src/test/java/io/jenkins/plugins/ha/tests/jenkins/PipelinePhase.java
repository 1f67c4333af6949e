package io.jenkins.plugins.ha.tests.jenkins;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Where a Pipeline stands when its controller is killed. Each has a job of that name; each of its
 * steps that count adds a line to a ledger: the job, the build's number, and the step's.
 */
enum PipelinePhase {
    BEFORE("waits for its first node", 1, "node('later') { %1$s }"),
    SHELL("in sh on an agent", 2, "node('far') { %1$s\n %4$s\n %2$s }"),
    PARALLEL(
            "in parallel: sh, and input",
            3,
            "parallel l: { node('far') { %1$s\n %4$s\n %2$s } },"
                    + " r: { input 'goes on?'; node('far') { %3$s } }"),
    INPUT("in input", 2, "node('far') { %1$s }\n input 'goes on?'\n node('far') { %2$s }"),
    BELOW("in sh, below a build step", 1, "node('far') { %4$s\n %1$s }"),
    BUILD("in build", 2, "node('far') { %1$s }\n build 'below'\n node('far') { %2$s }"),
    LOCK(
            "in lock",
            2,
            "lock('one') { node('far') { %1$s }\n input 'goes on?'\n node('far') { %2$s } }"),
    WAITS("waits for that lock", 1, "lock('one') { node('far') { %1$s } }"),
    BETWEEN(
            "between steps, at any moment",
            30,
            "node('far') { for (int i = 1; i <= 30; i++) {\n"
                    + " sh \"#!/bin/sh\\necho $JOB_NAME $BUILD_NUMBER ${i} >> %5$s\" } }");

    private final String title;
    private final int steps;
    private final String script;

    PipelinePhase(String title, int steps, String script) {
        this.title = title;
        this.steps = steps;
        this.script = script;
    }

    /** Completes the sentence "the Pipeline is killed while it is …". */
    String title() {
        return title;
    }

    String job() {
        return name().toLowerCase(java.util.Locale.ROOT);
    }

    boolean hasProcess() {
        return script.contains("%4$s");
    }

    boolean asks() {
        return script.contains("input");
    }

    /**
     * Its Pipeline.
     *
     * @param root holds the ledger, and the files by which its process is told of the kill and to
     *     come to its end
     */
    String pipeline(Path root) {
        Path ledger = root.resolve("ledger");
        return script.formatted(
                mark(ledger, 1), mark(ledger, 2), mark(ledger, 3), process(root), ledger);
    }

    /** What the ledger must have of one build, each once and in this order. */
    List<String> expected(int number) {
        List<String> lines = new ArrayList<>();
        for (int step = 1; step <= steps; step++) {
            lines.add(job() + " " + number + " " + step);
        }
        return lines;
    }

    private static String mark(Path ledger, int step) {
        return "sh '''#!/bin/sh\necho $JOB_NAME $BUILD_NUMBER " + step + " >> " + ledger + "'''";
    }

    /** Says nothing before the kill, so that all is at rest then. */
    private static String process(Path root) {
        return """
        sh '''#!/bin/sh
        i=0
        while [ -d %1$s ] && [ ! -e %1$s/ends-$JOB_NAME-$BUILD_NUMBER ]; do
          sleep 0.1
          if [ -e %1$s/killed-$JOB_NAME-$BUILD_NUMBER ]; then i=$((i+1)); echo "alive $i"; fi
        done
        echo "ends after $i"\
        '''\
        """
                .formatted(root);
    }
}
