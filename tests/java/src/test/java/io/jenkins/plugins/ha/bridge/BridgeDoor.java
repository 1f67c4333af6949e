package io.jenkins.plugins.ha.bridge;

import java.util.List;

/**
 * What only tests may do to the library: the natives of tests/door, and a look inside the bridge.
 * The library must be the one with the door.
 */
public final class BridgeDoor {
    private BridgeDoor() {}

    /** Panics while the cluster is in use; with a text made at run time if there is a secret. */
    public static void panic(Cluster cluster, String secret) {
        panic(cluster.handle, secret);
    }

    /** Stays inside a call for a while. */
    public static void hold(Cluster cluster, long millis) {
        hold(cluster.handle, millis);
    }

    /** Calls with a handle that nobody was given. */
    public static LinkState linkOf(long handle) {
        return Native.link(handle);
    }

    /** What the library says it implements. */
    public static List<String> natives() {
        return Native.natives();
    }

    /** The class with all natives. */
    public static Class<?> nativeClass() {
        return Native.class;
    }

    /** The name of the platform's directory. */
    public static String platform(String os, String arch) {
        return NativeLibrary.platform(os, arch);
    }

    /** Whether a library of one build fits classes of another. */
    public static boolean sameBuild(String theirs, String ours) {
        return NativeLibrary.sameBuild(theirs, ours);
    }

    private static native void panic(long handle, String secret);

    private static native void hold(long handle, long millis);

    /** Throws: Unavailable, Fenced, Refused, NotFound, Conflict, Invalid, Closed, Bug. */
    public static native void fail(int kind, String text);

    public static native String echoText(String text);

    public static native byte[] echoBytes(byte[] bytes);

    /** Levels 1 (error) to 5 (trace). */
    public static native void writeLog(int level, String text, int times);

    /** Snapshot, item, announcement, command, link, orphan, members; else a large snapshot. */
    public static native Event sampleEvent(int kind);
}
