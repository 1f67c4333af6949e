package io.jenkins.plugins.ha.linkage;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.lang.invoke.MethodType;
import java.lang.reflect.Constructor;
import java.lang.reflect.Field;
import java.lang.reflect.Member;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Finds out at boot whether this Jenkins has every class, method and field that the plugin uses,
 * instead of meeting a {@link LinkageError} in the middle of a build. The list is made when the
 * plugin is built. Names no class of Jenkins itself, runs no code of it and initialises none of its
 * classes.
 */
@UsesByReflection({
    "field jenkins.model.Jenkins queue Lhudson/model/Queue;",
    "field hudson.model.Run state Lhudson/model/Run$State;",
    "field hudson.model.Run result Lhudson/model/Result;",
    "field hudson.model.Run duration J",
    "field hudson.model.Run previousBuildInProgress Lhudson/model/Run;"
})
public final class LinkageCheck {
    /** The Jenkins that the plugin is compiled for. */
    public static final String NEEDS = "2.532";

    private static final String MEMBERS = "members.txt";

    private final ClassLoader loader;
    private final Map<String, Class<?>> classes = new HashMap<>();
    private final Map<Class<?>, Map<String, Member>> declared = new HashMap<>();
    private final Set<Class<?>> unreadable = new HashSet<>();
    private final Set<String> missing = new LinkedHashSet<>();

    private LinkageCheck(ClassLoader loader) {
        this.loader = loader;
    }

    /**
     * Names what is missing, most general first: where a class is missing, its members are not
     * listed as well. Empty when all is there.
     *
     * @param loader of the plugins
     */
    public static List<String> missing(ClassLoader loader) {
        return missing(loader, members());
    }

    /** As {@link #missing(ClassLoader)}, for lines of the form that the build writes. */
    static List<String> missing(ClassLoader loader, Collection<String> lines) {
        LinkageCheck check = new LinkageCheck(loader);
        for (String line : lines) {
            check.line(line.split(" "));
        }
        return List.copyOf(check.missing);
    }

    /** One sentence for the admin: what this Jenkins lacks and which one is needed. */
    public static String sentence(String jenkinsVersion, List<String> missing) {
        int shown = Math.min(missing.size(), 5);
        String more = missing.size() > shown ? " and " + (missing.size() - shown) + " more" : "";
        return "Jenkins "
                + jenkinsVersion
                + " lacks "
                + String.join(", ", missing.subList(0, shown))
                + more
                + ": HA Jenkins needs "
                + NEEDS
                + " or newer; on a newer one, install a newer HA Jenkins";
    }

    private static List<String> members() {
        try (InputStream in = LinkageCheck.class.getResourceAsStream(MEMBERS)) {
            if (in == null) {
                return List.of(
                        "type the list "
                                + MEMBERS
                                + " of this plugin: it was not built completely");
            }
            return new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))
                    .lines()
                    .collect(Collectors.toList());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void line(String[] words) {
        boolean reflective = words[0].equals("reflective");
        int first = reflective ? 1 : 0;
        String kind = words[first];
        String owner = words[first + 1];
        Class<?> type = find(owner);
        if (type == null) {
            missing.add(owner);
            return;
        }
        switch (reflective ? "reflective " + kind : kind) {
            case "type" -> kindOf(type, words[2]);
            case "extends" -> {
                kindOf(type, words[2]);
                if (Modifier.isFinal(type.getModifiers())) {
                    missing.add(owner + " as a class that may be extended");
                }
            }
            case "field" ->
                    member(
                            type,
                            words[2],
                            words[3],
                            words[4].equals("static"),
                            words[5].equals("protected"));
            case "method" -> {
                kindOf(type, words[5]);
                member(
                        type,
                        words[2],
                        words[3],
                        words[4].equals("static"),
                        words[6].equals("protected"));
            }
            case "override" -> overridden(type, words[2], words[3]);
            case "reflective field" ->
                    declaredHere(type, words[3], words.length > 4 ? words[4] : null);
            case "reflective method" -> declaredHere(type, words[3], words[4]);
            default -> {
                // "reflective type": found
            }
        }
    }

    private void kindOf(Class<?> type, String kind) {
        if (type.isInterface() != kind.equals("interface")) {
            missing.add(
                    type.getName()
                            + " as "
                            + (kind.equals("interface") ? "an interface" : "a class"));
        }
    }

    private void member(
            Class<?> type,
            String name,
            String descriptor,
            boolean isStatic,
            boolean protectedIsEnough) {
        Member found = resolve(type, name, descriptor);
        if (found == null) {
            missingMember(type, name, descriptor);
            return;
        }
        int modifiers = found.getModifiers();
        boolean accessible =
                Modifier.isPublic(modifiers)
                        || protectedIsEnough && Modifier.isProtected(modifiers);
        if (!accessible || Modifier.isStatic(modifiers) != isStatic) {
            missing.add(
                    (accessible ? "" : "accessible ")
                            + (isStatic ? "static " : "")
                            + readable(type, name, descriptor));
        }
    }

    private void overridden(Class<?> type, String name, String descriptor) {
        Member found = resolve(type, name, descriptor);
        if (found == null) {
            missingMember(type, name, descriptor);
        } else if (Modifier.isFinal(found.getModifiers())
                || Modifier.isStatic(found.getModifiers())
                || Modifier.isPrivate(found.getModifiers())) {
            missing.add(readable(type, name, descriptor) + " as a method that may be overridden");
        }
    }

    private void declaredHere(Class<?> type, String name, String descriptor) {
        Map<String, Member> members = declared(type);
        boolean found =
                descriptor == null
                        ? members.keySet().stream()
                                .anyMatch(
                                        key ->
                                                key.startsWith(name + " ")
                                                        && !key.startsWith(name + " ("))
                        : members.containsKey(name + " " + descriptor);
        if (!found) {
            missingMember(type, name, descriptor);
        }
    }

    private void missingMember(Class<?> type, String name, String descriptor) {
        // Of a class that cannot be listed because an optional library is away nothing can be said.
        if (unreadable.isEmpty() || supertypes(type).stream().noneMatch(unreadable::contains)) {
            missing.add(readable(type, name, descriptor));
        }
    }

    /** Looks through superclasses, then interfaces, as the JVM does. */
    private Member resolve(Class<?> type, String name, String descriptor) {
        String key = name + " " + descriptor;
        if (name.equals("<init>")) {
            return declared(type).get(key);
        }
        for (Class<?> candidate : supertypes(type)) {
            Member member = declared(candidate).get(key);
            if (member != null) {
                return member;
            }
        }
        return null;
    }

    private static Set<Class<?>> supertypes(Class<?> type) {
        Set<Class<?>> all = new LinkedHashSet<>();
        for (Class<?> at = type; at != null; at = at.getSuperclass()) {
            all.add(at);
        }
        Deque<Class<?>> open = new ArrayDeque<>(all);
        while (!open.isEmpty()) {
            for (Class<?> implemented : open.removeFirst().getInterfaces()) {
                if (all.add(implemented)) {
                    open.add(implemented);
                }
            }
        }
        if (type.isInterface()) {
            all.add(Object.class);
        }
        return all;
    }

    private Map<String, Member> declared(Class<?> type) {
        return declared.computeIfAbsent(type, this::read);
    }

    private Map<String, Member> read(Class<?> type) {
        Map<String, Member> members = new HashMap<>();
        try {
            for (Field field : type.getDeclaredFields()) {
                members.put(field.getName() + " " + field.getType().descriptorString(), field);
            }
            for (Method method : type.getDeclaredMethods()) {
                members.put(
                        method.getName()
                                + " "
                                + descriptor(method.getReturnType(), method.getParameterTypes()),
                        method);
            }
            for (Constructor<?> constructor : type.getDeclaredConstructors()) {
                members.put(
                        "<init> " + descriptor(void.class, constructor.getParameterTypes()),
                        constructor);
            }
        } catch (LinkageError | TypeNotPresentException e) {
            unreadable.add(type);
        }
        return members;
    }

    private static String descriptor(Class<?> returned, Class<?>[] parameters) {
        return MethodType.methodType(returned, parameters).descriptorString();
    }

    private Class<?> find(String name) {
        if (!classes.containsKey(name)) {
            Class<?> type = null;
            try {
                type = Class.forName(name, false, loader);
            } catch (ClassNotFoundException | LinkageError e) {
                type = null; // as missing as can be
            }
            classes.put(name, type);
        }
        return classes.get(name);
    }

    /** {@code hudson.model.Queue.getItem(long)}. */
    private static String readable(Class<?> type, String name, String descriptor) {
        String member = name.equals("<init>") ? type.getName() : type.getName() + "." + name;
        if (descriptor == null || !descriptor.startsWith("(")) {
            return member;
        }
        List<String> parameters = new ArrayList<>();
        int at = 1;
        while (descriptor.charAt(at) != ')') {
            int from = at;
            while (descriptor.charAt(at) == '[') {
                at++;
            }
            int arrays = at - from;
            String simple;
            if (descriptor.charAt(at) == 'L') {
                int end = descriptor.indexOf(';', at);
                simple =
                        descriptor.substring(
                                descriptor.lastIndexOf('/', end) < at
                                        ? at + 1
                                        : descriptor.lastIndexOf('/', end) + 1,
                                end);
                at = end + 1;
            } else {
                simple = primitive(descriptor.charAt(at));
                at++;
            }
            parameters.add(simple.replace('$', '.') + "[]".repeat(arrays));
        }
        return member + "(" + String.join(", ", parameters) + ")";
    }

    private static String primitive(char letter) {
        return switch (letter) {
            case 'B' -> "byte";
            case 'C' -> "char";
            case 'D' -> "double";
            case 'F' -> "float";
            case 'I' -> "int";
            case 'J' -> "long";
            case 'S' -> "short";
            default -> "boolean";
        };
    }
}
