package io.jenkins.plugins.ha.bridge;

import java.util.Collection;
import java.util.Map;

/** Makes the text of a {@link Parcel}: a JSON object. */
final class ParcelText {
    private final StringBuilder text = new StringBuilder("{");

    /** A text that is null counts as ""; any other value as none. */
    void part(String name, Class<?> type, Object value) {
        if (text.length() > 1) {
            text.append(',');
        }
        quote(name);
        text.append(':');
        if (type == String.class) {
            quote(value == null ? "" : (String) value);
        } else if (value instanceof Enum<?> constant) {
            quote(Parcel.there(constant));
        } else if (value instanceof Collection<?> texts) {
            text.append('[');
            String comma = "";
            for (Object one : texts) {
                text.append(comma);
                quote((String) one);
                comma = ",";
            }
            text.append(']');
        } else if (value instanceof Map<?, ?> pairs) {
            text.append('[');
            String comma = "";
            for (Map.Entry<?, ?> pair : pairs.entrySet()) {
                text.append(comma).append('[');
                quote((String) pair.getKey());
                text.append(',');
                quote((String) pair.getValue());
                text.append(']');
                comma = ",";
            }
            text.append(']');
        } else if (value == null || value instanceof Number || value instanceof Boolean) {
            text.append(value);
        } else {
            throw new IllegalArgumentException("No " + type + " can cross the bridge");
        }
    }

    String end() {
        return text.append('}').toString();
    }

    private void quote(String value) {
        text.append('"');
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            if (c == '"' || c == '\\') {
                text.append('\\').append(c);
            } else if (c < ' ') {
                text.append(String.format("\\u%04x", (int) c));
            } else {
                text.append(c);
            }
        }
        text.append('"');
    }
}
