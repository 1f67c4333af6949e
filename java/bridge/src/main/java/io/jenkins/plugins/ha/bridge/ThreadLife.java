package io.jenkins.plugins.ha.bridge;

/**
 * How a thread does.
 *
 * @param name the thread's name
 * @param roundMillisAgo when it last began a round of its work
 * @param restarts how often it failed by a defect and was started again
 * @param problem a sentence, without its full stop, when it does not do its work, or ""
 */
public record ThreadLife(String name, long roundMillisAgo, long restarts, String problem) {
    /** Of the library's own form: these parts, between tabs. */
    static ThreadLife ofLine(String line) {
        String[] parts = line.split("\t", 4);
        return new ThreadLife(
                parts[0], Long.parseLong(parts[1]), Long.parseLong(parts[2]), parts[3]);
    }
}
