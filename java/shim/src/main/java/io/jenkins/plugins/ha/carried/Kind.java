package io.jenkins.plugins.ha.carried;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Set;

/** How settings of one kind are put in force. One thread at a time. */
interface Kind {
    /** The elements directly below its root that are each controller's own. */
    default Set<String> own() {
        return Set.of();
    }

    /** Whether it is gone from the cluster when its file is gone from a controller. */
    default boolean deletable() {
        return false;
    }

    /** Whether the file is the cluster's and not this controller's own, as what is in it says. */
    default boolean carries(Path file, String path) {
        return true;
    }

    /** Whether what has no file any more is gone here; only where it is {@link #deletable}. */
    default boolean isGone(String path) {
        return true;
    }

    /**
     * Looks whether this controller can read it, before anything changes.
     *
     * @param draft a file with the text as it would be here, in the folder of the file
     * @param path relative to the home
     * @throws IOException with what is wrong with it
     */
    default void check(Path draft, String path) throws IOException {}

    /**
     * Puts in force what the file says now.
     *
     * @param before what it said before; "" when there was none
     * @param now what it says now
     * @throws IOException when it cannot be, and what was before is in force
     */
    void inForce(String path, String before, String now) throws IOException;

    /**
     * This Jenkins has written the file. What is in force is what the file says, also where it was
     * written from an object that another one has taken the place of.
     *
     * @param text what the file says
     */
    default void savedHere(String path, String text) throws IOException {}

    /** Deletes it here; only where it is {@link #deletable}. */
    default void remove(String path, String before) throws IOException {}
}
