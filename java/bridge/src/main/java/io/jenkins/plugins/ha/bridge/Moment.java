package io.jenkins.plugins.ha.bridge;

import java.util.Arrays;
import java.util.List;

/**
 * Something that happened to a controller of the cluster.
 *
 * @param atMillis when, by this controller's clock
 * @param what {@code joined} (the text is its version), {@code ended} (why), {@code adopted},
 *     {@code reran}, {@code handed-over} (to which id), {@code drained} or {@code undrained} (by
 *     whom)
 * @param controllerId whom it is about
 * @param name what people called it, or ""
 * @param text see {@code what}
 * @param waitAgain how many items wait again
 * @param begun how many builds have to be decided on
 * @param ids of the items that it moved, the first twenty, with a blank between
 */
public record Moment(
        long atMillis,
        String what,
        String controllerId,
        String name,
        String text,
        long waitAgain,
        long begun,
        String ids) {
    /** The items that it moved, the first twenty. */
    public List<Long> items() {
        return Arrays.stream(ids.split(" "))
                .filter(id -> id.matches("\\d{1,18}"))
                .map(Long::valueOf)
                .toList();
    }
}
