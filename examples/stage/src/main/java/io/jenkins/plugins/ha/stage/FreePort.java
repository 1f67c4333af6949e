package io.jenkins.plugins.ha.stage;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.HashSet;
import java.util.Set;

/** TCP ports on 127.0.0.1 that nobody listens on. */
public final class FreePort {
    private static final Set<Integer> GIVEN = new HashSet<>();

    private FreePort() {}

    /** A port that was free just now and was not given out before in this JVM. */
    public static synchronized int next() {
        while (true) {
            try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
                if (GIVEN.add(socket.getLocalPort())) {
                    return socket.getLocalPort();
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
