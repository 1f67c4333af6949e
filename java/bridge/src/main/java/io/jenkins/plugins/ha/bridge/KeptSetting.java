package io.jenkins.plugins.ha.bridge;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * A setting as the cluster has it.
 *
 * @param path of its file, relative to a controller's home
 * @param version grows with each change, from 1 on
 * @param deleted whether it was deleted
 * @param changedMillis when it was changed, since 1970 by Redis' clock
 * @param digest the same for texts that mean the same
 * @param controllerId where it was changed
 * @param author who changed it, for people
 * @param text null where it was not asked for
 */
@SuppressWarnings("ArrayRecordComponent") // nobody compares them
public record KeptSetting(
        String path,
        long version,
        boolean deleted,
        long changedMillis,
        String digest,
        String controllerId,
        String author,
        byte[] text) {
    /** As the library lists it: the path, and behind a line break the head. */
    static KeptSetting ofLines(String lines) {
        String[] parts = lines.split("\n", 2);
        return ofHead(parts[0], parts[1], null);
    }

    /** As the library answers it: the head, an empty line, the text. */
    static KeptSetting ofWhole(String path, byte[] whole) {
        int end = 0;
        while (whole[end] != '\n' || whole[end + 1] != '\n' || lines(whole, end) < 5) {
            end++;
        }
        String head = new String(whole, 0, end, StandardCharsets.UTF_8);
        return ofHead(path, head, Arrays.copyOfRange(whole, end + 2, whole.length));
    }

    /** How many line breaks there are before; a head has five, and parts that may be empty. */
    private static int lines(byte[] whole, int end) {
        int count = 0;
        for (int i = 0; i < end; i++) {
            count += whole[i] == '\n' ? 1 : 0;
        }
        return count;
    }

    private static KeptSetting ofHead(String path, String head, byte[] text) {
        String[] parts = head.split("\n", -1);
        return new KeptSetting(
                path,
                Long.parseLong(parts[0]),
                parts[1].equals("D"),
                Long.parseLong(parts[2]),
                parts[3],
                parts[4],
                parts[5],
                text);
    }
}
