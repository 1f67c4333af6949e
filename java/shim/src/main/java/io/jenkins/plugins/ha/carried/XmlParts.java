package io.jenkins.plugins.ha.carried;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * An XML text as Jenkins saves it, seen as what is directly below its root. Elements are taken out
 * and put in as text, so that nothing else of it changes. Immutable.
 */
final class XmlParts {
    /** An element directly below the root: its name, and where its text begins and ends. */
    private record Part(String name, int start, int end) {}

    private final String text;
    private final List<Part> parts;

    /** Behind the root's start tag. */
    private final int rootBegin;

    /** Where the root's end tag begins; -1 for a root without content. */
    private final int rootEnd;

    private XmlParts(String text, List<Part> parts, int rootBegin, int rootEnd) {
        this.text = text;
        this.parts = parts;
        this.rootBegin = rootBegin;
        this.rootEnd = rootEnd;
    }

    /**
     * Takes it apart.
     *
     * @throws IllegalArgumentException where it is no XML of one root
     */
    static XmlParts of(String text) {
        List<Part> parts = new ArrayList<>();
        int depth = 0;
        int start = 0;
        int rootBegin = 0;
        String name = "";
        int at = 0;
        while ((at = text.indexOf('<', at)) >= 0) {
            if (text.startsWith("<!--", at)) {
                at = after(text, "-->", at);
            } else if (text.startsWith("<![CDATA[", at)) {
                at = after(text, "]]>", at);
            } else if (text.startsWith("<?", at)) {
                at = after(text, "?>", at);
            } else if (text.startsWith("<!", at)) {
                throw new IllegalArgumentException("it has a document type");
            } else if (text.startsWith("</", at)) {
                int end = after(text, ">", at);
                depth--;
                if (depth == 1) {
                    parts.add(new Part(name, start, end));
                } else if (depth == 0) {
                    return new XmlParts(text, parts, rootBegin, at);
                } else if (depth < 0) {
                    break;
                }
                at = end;
            } else {
                int end = endOfTag(text, at);
                boolean empty = text.charAt(end - 2) == '/';
                if (depth == 1) {
                    start = at;
                    name = nameAt(text, at + 1);
                    if (empty) {
                        parts.add(new Part(name, start, end));
                    }
                } else if (depth == 0) {
                    rootBegin = end;
                    if (empty) {
                        return new XmlParts(text, parts, rootBegin, -1);
                    }
                }
                depth += empty ? 0 : 1;
                at = end;
            }
        }
        throw new IllegalArgumentException("it is no complete XML");
    }

    /** The names of what is below the root. */
    Set<String> names() {
        return Set.copyOf(parts.stream().map(Part::name).toList());
    }

    /** The first element of this name with its tags, or "". */
    String element(String name) {
        for (Part part : parts) {
            if (part.name.equals(name)) {
                return text.substring(part.start, part.end);
            }
        }
        return "";
    }

    /**
     * Without the elements of these names, and the space before each. Where none is left, as
     * Jenkins saves what has none: {@code <root/>}.
     */
    String without(Set<String> names) {
        StringBuilder left = new StringBuilder();
        int from = 0;
        for (Part part : parts) {
            if (names.contains(part.name)) {
                int before = part.start;
                while (before > from && Character.isWhitespace(text.charAt(before - 1))) {
                    before--;
                }
                left.append(text, from, before);
                from = part.end;
            }
        }
        String rest = left.append(text, from, text.length()).toString();
        int removed = text.length() - rest.length();
        if (removed > 0 && rest.substring(rootBegin, rootEnd - removed).isBlank()) {
            int end = rest.indexOf('>', rootEnd - removed) + 1;
            return rest.substring(0, rootBegin - 1) + "/>" + rest.substring(end);
        }
        return rest;
    }

    /** With the elements of these names of another text at its end, in the place of its own. */
    String with(Set<String> names, XmlParts other) {
        XmlParts rest = of(without(names));
        StringBuilder added = new StringBuilder();
        for (Part part : other.parts) {
            if (names.contains(part.name)) {
                added.append("\n  ").append(other.text, part.start, part.end);
            }
        }
        if (added.isEmpty()) {
            return rest.text;
        }
        if (rest.rootEnd < 0) {
            int slash = rest.text.lastIndexOf("/>");
            int name = rest.text.lastIndexOf('<', slash) + 1;
            return rest.text.substring(0, slash)
                    + ">"
                    + added
                    + "\n</"
                    + nameAt(rest.text, name)
                    + ">"
                    + rest.text.substring(slash + 2);
        }
        int end = rest.rootEnd;
        while (Character.isWhitespace(rest.text.charAt(end - 1))) {
            end--;
        }
        return rest.text.substring(0, end) + added + "\n" + rest.text.substring(rest.rootEnd);
    }

    private static int after(String text, String what, int from) {
        int at = text.indexOf(what, from);
        if (at < 0) {
            throw new IllegalArgumentException("it is no complete XML");
        }
        return at + what.length();
    }

    /** Behind the tag that begins at {@code at}; its values may hold what looks like its end. */
    private static int endOfTag(String text, int at) {
        char quote = 0;
        for (int i = at; i < text.length(); i++) {
            char c = text.charAt(i);
            if (quote != 0) {
                quote = c == quote ? 0 : quote;
            } else if (c == '"' || c == '\'') {
                quote = c;
            } else if (c == '>') {
                return i + 1;
            }
        }
        throw new IllegalArgumentException("it is no complete XML");
    }

    private static String nameAt(String text, int from) {
        int end = from;
        while (end < text.length() && " \t\r\n/>".indexOf(text.charAt(end)) < 0) {
            end++;
        }
        return text.substring(from, end);
    }
}
