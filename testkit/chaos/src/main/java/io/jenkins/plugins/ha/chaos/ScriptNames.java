package io.jenkins.plugins.ha.chaos;

import io.jenkins.plugins.ha.stage.Checkout;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.util.HashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The names that {@code src/lua/item.lua} gives to numbers. The library sends its scripts with the
 * numbers in their place ({@code src/redis/scripts.rs}).
 */
final class ScriptNames {
    private static final Pattern NAMED =
            Pattern.compile("^local ([A-Z, ]+) = ([0-9, ]+)$", Pattern.MULTILINE);
    private static final Pattern WORD = Pattern.compile("\\b[A-Z]+\\b");
    private static final Map<String, String> NUMBERS = read();

    private ScriptNames() {}

    /** A piece of a script as Redis gets it. */
    static String asSent(String piece) {
        return WORD.matcher(piece)
                .replaceAll(
                        word ->
                                quoted(piece, word.start())
                                        ? word.group()
                                        : NUMBERS.getOrDefault(word.group(), word.group()));
    }

    private static boolean quoted(String piece, int at) {
        int line = piece.lastIndexOf('\n', at) + 1;
        return piece.substring(line, at).chars().filter(c -> c == '\'').count() % 2 == 1;
    }

    private static Map<String, String> read() {
        Map<String, String> numbers = new HashMap<>();
        try {
            Matcher line =
                    NAMED.matcher(Files.readString(Checkout.root().resolve("src/lua/item.lua")));
            while (line.find()) {
                String[] names = line.group(1).split(", ");
                String[] values = line.group(2).split(", ");
                for (int i = 0; i < names.length; i++) {
                    numbers.put(names[i], values[i]);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return numbers;
    }
}
