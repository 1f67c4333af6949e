package io.jenkins.plugins.ha.standin;

import java.util.List;
import java.util.Map;

/**
 * What is on disk of a build.
 *
 * @param controller name of the controller that runs or ran it
 * @param result null while it runs
 * @param started milliseconds since 1970
 * @param duration milliseconds, 0 while it runs
 */
record BuildRecord(
        String job,
        int number,
        long queueId,
        String controller,
        Map<String, String> parameters,
        List<String> causes,
        long started,
        long duration,
        String result) {

    BuildRecord ended(String result) {
        return new BuildRecord(
                job,
                number,
                queueId,
                controller,
                parameters,
                causes,
                started,
                Math.max(1, System.currentTimeMillis() - started),
                result);
    }
}
