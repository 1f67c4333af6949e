package io.jenkins.plugins.ha.bridge;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;

/**
 * A state that all controllers share.
 *
 * @param version grows with each change; 0 where there is none yet
 * @param body its text; null when the version is the one that the caller knew
 */
@SuppressWarnings("ArrayRecordComponent")
public record SharedState(long version, byte[] body) {
    static Optional<SharedState> ofWhole(byte[] whole) {
        int first = lineEnd(whole, 0);
        String word = new String(whole, 0, first, StandardCharsets.UTF_8);
        if (word.equals("HELD")) {
            return Optional.empty();
        }
        int second = lineEnd(whole, first + 1);
        String version = new String(whole, first + 1, second - first - 1, StandardCharsets.UTF_8);
        byte[] body =
                word.equals("NEW") ? Arrays.copyOfRange(whole, second + 1, whole.length) : null;
        return Optional.of(new SharedState(Long.parseLong(version), body));
    }

    private static int lineEnd(byte[] whole, int from) {
        for (int i = from; i < whole.length; i++) {
            if (whole[i] == '\n') {
                return i;
            }
        }
        return whole.length;
    }
}
