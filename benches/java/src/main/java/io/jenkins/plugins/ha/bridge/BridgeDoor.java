package io.jenkins.plugins.ha.bridge;

/**
 * The natives of tests/door that only carry a value across and back: what a call costs without what
 * it does. The library must be the one with the door.
 */
public final class BridgeDoor {
    private BridgeDoor() {}

    public static native String echoText(String text);

    public static native byte[] echoBytes(byte[] bytes);
}
