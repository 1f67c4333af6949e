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
 * @param cut it did not end by itself or by anybody's wish: its controller died or was held dead
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
        String result,
        boolean cut) {

    BuildRecord ended(String result) {
        return ended(result, false);
    }

    /** Ended with its controller. */
    BuildRecord cutShort() {
        return ended("ABORTED", true);
    }

    private BuildRecord ended(String result, boolean cut) {
        return new BuildRecord(
                job,
                number,
                queueId,
                controller,
                parameters,
                causes,
                started,
                Math.max(1, System.currentTimeMillis() - started),
                result,
                cut);
    }
}
