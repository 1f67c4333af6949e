package io.jenkins.plugins.ha.bridge;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Reads the text of a {@link Parcel}, one part after the other: the JSON that the library makes,
 * which has no blanks.
 */
final class ParcelReader {
    /** Of each kind of constants, those by the library's names. */
    private static final Map<Class<?>, Map<String, Object>> CONSTANTS = new ConcurrentHashMap<>();

    private final String text;
    private int at;

    ParcelReader(String text) {
        this.text = text;
        expect('{');
    }

    /** The name of the next part, null behind the last. */
    String name() {
        if (next('}')) {
            return null;
        }
        next(',');
        String name = string();
        expect(':');
        return name;
    }

    /** The value of the part whose name was just read. */
    Object value(Class<?> type) {
        if (type == String.class) {
            return string();
        } else if (type == int.class) {
            return Math.toIntExact(number());
        } else if (type == long.class) {
            return number();
        } else if (type == boolean.class) {
            return truth();
        } else if (type.isEnum()) {
            return constant(type, string());
        } else if (type == List.class) {
            return texts();
        } else if (type == Map.class) {
            return pairs();
        }
        throw new IllegalStateException("No " + type + " can cross the bridge");
    }

    private static Object constant(Class<?> type, String name) {
        Map<String, Object> named =
                CONSTANTS.computeIfAbsent(
                        type,
                        kind -> {
                            Map<String, Object> all = new HashMap<>();
                            for (Object constant : kind.getEnumConstants()) {
                                all.put(Parcel.there((Enum<?>) constant), constant);
                            }
                            return all;
                        });
        Object constant = named.get(name);
        if (constant == null) {
            throw new IllegalStateException(
                    type.getSimpleName() + " has no " + name + ", which the library has");
        }
        return constant;
    }

    private List<String> texts() {
        List<String> texts = new ArrayList<>();
        expect('[');
        while (!next(']')) {
            next(',');
            texts.add(string());
        }
        return List.copyOf(texts);
    }

    private Map<String, String> pairs() {
        Map<String, String> pairs = new LinkedHashMap<>();
        expect('[');
        while (!next(']')) {
            next(',');
            expect('[');
            String name = string();
            expect(',');
            pairs.put(name, string());
            expect(']');
        }
        return pairs;
    }

    private boolean truth() {
        if (text.startsWith("true", at)) {
            at += 4;
            return true;
        }
        if (!text.startsWith("false", at)) {
            throw unfit();
        }
        at += 5;
        return false;
    }

    private long number() {
        int from = at;
        while (at < text.length()
                && (text.charAt(at) == '-' || Character.isDigit(text.charAt(at)))) {
            at++;
        }
        try {
            return Long.parseLong(text, from, at, 10);
        } catch (NumberFormatException e) {
            throw unfit();
        }
    }

    private String string() {
        expect('"');
        int from = at;
        while (at < text.length() && text.charAt(at) != '"' && text.charAt(at) != '\\') {
            at++;
        }
        if (next('"')) {
            return text.substring(from, at - 1);
        }
        StringBuilder value = new StringBuilder(text.substring(from, at));
        while (!next('"')) {
            char c = character();
            value.append(c == '\\' ? escaped(character()) : c);
        }
        return value.toString();
    }

    private char escaped(char c) {
        switch (c) {
            case 'n':
                return '\n';
            case 'r':
                return '\r';
            case 't':
                return '\t';
            case 'b':
                return '\b';
            case 'f':
                return '\f';
            case 'u':
                if (at + 4 > text.length()) {
                    throw unfit();
                }
                at += 4;
                return (char) Integer.parseInt(text, at - 4, at, 16);
            default:
                return c;
        }
    }

    private char character() {
        if (at == text.length()) {
            throw unfit();
        }
        return text.charAt(at++);
    }

    private boolean next(char c) {
        boolean here = at < text.length() && text.charAt(at) == c;
        if (here) {
            at++;
        }
        return here;
    }

    private void expect(char c) {
        if (!next(c)) {
            throw unfit();
        }
    }

    /** Without the text: it may hold parameters. */
    private IllegalStateException unfit() {
        return new IllegalStateException(
                "What came across the bridge cannot be read at " + at + " of " + text.length());
    }
}
