package io.jenkins.plugins.ha.bridge;

import java.util.List;

/**
 * What is known of a queue item.
 *
 * @param job full name of its job
 * @param item the item itself, without payload; null when Redis has only its trace
 * @param steps what happened to it, oldest first
 */
public record ItemTrace(String job, Item item, List<Step> steps) {
    /**
     * One thing that happened to it.
     *
     * @param atMillis when, by this controller's clock
     * @param what {@code accepted}, {@code quiet}, {@code runs-again}, {@code folded}, {@code
     *     blocked}, {@code unblocked}, {@code claimed}, {@code handed-back}, {@code starting},
     *     {@code running}, {@code orphaned}, {@code passed}, {@code handed-over}, {@code adopted},
     *     {@code kept}, {@code requeued}, {@code unwanted}, {@code finished}, {@code again}, {@code
     *     cancelled}, {@code set-aside}, {@code moved}, {@code restored} or {@code left-out}
     * @param controller id of who did it or was concerned, or ""
     * @param other id of another controller, or ""
     * @param number the build's, seconds for {@code quiet}, or 0
     * @param item another item, or 0
     * @param text a sentence or a name, or ""
     */
    public record Step(
            long atMillis,
            String what,
            String controller,
            String other,
            int number,
            long item,
            String text) {}
}
