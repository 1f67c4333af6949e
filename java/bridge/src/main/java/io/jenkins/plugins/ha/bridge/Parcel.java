package io.jenkins.plugins.ha.bridge;

import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.RecordComponent;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * How a record crosses the bridge: as one text of its parts by their names (JSON, as {@code
 * src/bridge/parcel.rs} writes and reads it), and beside it the one part that is bytes, if it has
 * one. What a part is called is said in the record here and in the struct there, and nowhere else.
 *
 * <p>A name is the same on both sides but for the custom of the language: {@code jobRevision} is
 * {@code job_revision} there, and what ends in {@code Millis} ends in {@code _ms}; of a constant,
 * {@code TOO_LATE} is {@code TooLate}. A part that only one side has is a defect, and says so.
 *
 * <p>Parts are texts, numbers, truth values, constants, lists of texts, pairs of texts.
 * Thread-safe.
 */
final class Parcel<T extends Record> {
    private final Class<T> type;
    private final Constructor<T> constructor;
    private final Part[] parts;
    private final Map<String, Integer> places = new HashMap<>();

    private record Part(String name, String there, Class<?> type, RecordComponent component) {
        boolean isBytes() {
            return type == byte[].class;
        }

        Object in(Object record) {
            try {
                return component.getAccessor().invoke(record);
            } catch (ReflectiveOperationException e) {
                throw new IllegalStateException(e);
            }
        }

        /** What stands for nothing. */
        Object none() {
            if (type == String.class) {
                return "";
            } else if (type == int.class) {
                return 0;
            } else if (type == long.class) {
                return 0L;
            } else if (type == boolean.class) {
                return false;
            } else if (type == List.class) {
                return List.of();
            }
            return type == Map.class ? Map.of() : null;
        }
    }

    private Parcel(Class<T> type) {
        this.type = type;
        RecordComponent[] components = type.getRecordComponents();
        this.parts = new Part[components.length];
        for (int i = 0; i < parts.length; i++) {
            RecordComponent component = components[i];
            component.getAccessor().setAccessible(true);
            String name = component.getName();
            parts[i] = new Part(name, there(name), component.getType(), component);
            places.put(parts[i].there, i);
        }
        try {
            constructor =
                    type.getDeclaredConstructor(
                            Arrays.stream(parts).map(Part::type).toArray(Class<?>[]::new));
            constructor.setAccessible(true);
        } catch (NoSuchMethodException e) {
            throw new IllegalStateException(e);
        }
    }

    static <T extends Record> Parcel<T> of(Class<T> type) {
        return new Parcel<>(type);
    }

    /** All parts but the bytes. */
    byte[] text(T record) {
        ParcelText text = new ParcelText();
        for (Part part : parts) {
            if (!part.isBytes()) {
                text.part(part.there, part.type, part.in(record));
            }
        }
        return text.end().getBytes(StandardCharsets.UTF_8);
    }

    /** The record; its bytes may be null. */
    T record(byte[] text, byte[] bytes) {
        Object[] values = new Object[parts.length];
        boolean[] told = new boolean[parts.length];
        ParcelReader reader = new ParcelReader(new String(text, StandardCharsets.UTF_8));
        for (String name = reader.name(); name != null; name = reader.name()) {
            Integer at = places.get(name);
            if (at == null || parts[at].isBytes()) {
                throw new IllegalStateException(
                        type.getSimpleName() + " has no part " + name + ", which the library has");
            }
            values[at] = reader.value(parts[at].type);
            told[at] = true;
        }
        for (int i = 0; i < parts.length; i++) {
            if (parts[i].isBytes()) {
                values[i] = bytes;
            } else if (!told[i]) {
                throw new IllegalStateException(
                        "The library does not tell "
                                + parts[i].name
                                + " of "
                                + type.getSimpleName());
            }
        }
        return make(values);
    }

    /** With these parts, each a name and a value; the others are "", 0, false, empty or null. */
    T made(Object... given) {
        return changed(Arrays.stream(parts).map(Part::none).toArray(), given);
    }

    /** As this one but for these parts, each a name and a value. */
    T with(T record, Object... changes) {
        Object[] values = new Object[parts.length];
        for (int i = 0; i < parts.length; i++) {
            values[i] = parts[i].in(record);
        }
        return changed(values, changes);
    }

    /**
     * With the parts of another record that are called the same, and these, each a name and a
     * value; the others are "", 0, false, empty or null.
     */
    T like(Record other, Object... changes) {
        Object[] values = new Object[parts.length];
        Map<String, Part> others = new HashMap<>();
        for (Part part : Parcel.of(other.getClass()).parts) {
            others.put(part.name, part);
        }
        for (int i = 0; i < parts.length; i++) {
            Part same = others.get(parts[i].name);
            values[i] =
                    same != null && same.type == parts[i].type ? same.in(other) : parts[i].none();
        }
        return changed(values, changes);
    }

    private T changed(Object[] values, Object... changes) {
        for (int i = 0; i + 1 < changes.length; i += 2) {
            String name = (String) changes[i];
            Integer at = places.get(there(name));
            if (at == null) {
                throw new IllegalArgumentException(type.getSimpleName() + " has no " + name);
            }
            values[at] = changes[i + 1];
        }
        return make(values);
    }

    private T make(Object[] values) {
        try {
            return constructor.newInstance(values);
        } catch (InvocationTargetException e) {
            throw new IllegalArgumentException(e.getCause());
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    /** How the library calls what is called so here. */
    static String there(String name) {
        StringBuilder there = new StringBuilder();
        for (char c : name.toCharArray()) {
            if (Character.isUpperCase(c)) {
                there.append('_');
            }
            there.append(Character.toLowerCase(c));
        }
        return there.toString().replaceFirst("_millis$", "_ms");
    }

    /** How the library calls this constant. */
    static String there(Enum<?> constant) {
        StringBuilder there = new StringBuilder();
        for (String word : constant.name().split("_")) {
            there.append(word.charAt(0)).append(word.substring(1).toLowerCase(Locale.ROOT));
        }
        return there.toString();
    }
}
