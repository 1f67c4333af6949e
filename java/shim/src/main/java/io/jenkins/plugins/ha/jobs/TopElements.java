package io.jenkins.plugins.ha.jobs;

import com.thoughtworks.xstream.io.HierarchicalStreamReader;
import com.thoughtworks.xstream.io.HierarchicalStreamWriter;
import com.thoughtworks.xstream.io.StreamException;
import com.thoughtworks.xstream.io.copy.HierarchicalStreamCopier;
import com.thoughtworks.xstream.io.xml.CompactWriter;
import hudson.util.XStream2;
import java.io.StringReader;
import java.io.StringWriter;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/**
 * A config.xml as its top-level elements, so that two changes of one form can be put together when
 * they are about different elements.
 *
 * @param attributes of the root
 * @param elements by name, in a form that does not depend on white space; those of one name as one
 */
record TopElements(Map<String, String> attributes, Map<String, String> elements) {
    private static final String REFERENCE = "reference";

    /** Both changed the same, and not to the same, or it is no form that could be compared. */
    static final class Conflict extends Exception {
        private static final long serialVersionUID = 1L;

        Conflict(String what) {
            super(what);
        }
    }

    /**
     * The elements of this form.
     *
     * @throws Conflict when an element refers to what another one has, or it is no XML: whoever
     *     writes to the shared folder may have written anything
     */
    static TopElements of(String xml) throws Conflict {
        try {
            return read(xml);
        } catch (StreamException e) {
            throw new Conflict("no XML");
        }
    }

    private static TopElements read(String xml) throws Conflict {
        if (xml.contains(REFERENCE + "=")) {
            HierarchicalStreamReader reader =
                    XStream2.getDefaultDriver().createReader(new StringReader(xml));
            try {
                refuseCrossing(reader, 0);
            } finally {
                reader.close();
            }
        }
        HierarchicalStreamReader reader =
                XStream2.getDefaultDriver().createReader(new StringReader(xml));
        try {
            Map<String, String> attributes = new LinkedHashMap<>();
            for (int i = 0; i < reader.getAttributeCount(); i++) {
                attributes.put(reader.getAttributeName(i), reader.getAttribute(i));
            }
            Map<String, String> elements = new LinkedHashMap<>();
            while (reader.hasMoreChildren()) {
                reader.moveDown();
                StringWriter text = new StringWriter();
                String name = reader.getNodeName();
                new HierarchicalStreamCopier().copy(reader, new CompactWriter(text));
                elements.merge(name, text.toString(), String::concat);
                reader.moveUp();
            }
            return new TopElements(attributes, elements);
        } finally {
            reader.close();
        }
    }

    /** References may lead to the item, or stay in their top-level element: so they stay true. */
    private static void refuseCrossing(HierarchicalStreamReader reader, int depth) throws Conflict {
        String reference = reader.getAttribute(REFERENCE);
        if (reference != null) {
            int steps = 0;
            String rest = reference;
            while (rest.equals("..") || rest.startsWith("../")) {
                steps++;
                rest = rest.length() > 3 ? rest.substring(3) : "";
            }
            boolean toRoot = steps == depth && rest.isEmpty();
            if (!toRoot && (steps == 0 || steps >= depth)) {
                throw new Conflict("<" + REFERENCE + ">");
            }
        }
        while (reader.hasMoreChildren()) {
            reader.moveDown();
            refuseCrossing(reader, depth + 1);
            reader.moveUp();
        }
    }

    /**
     * What comes of two changes of {@code base}.
     *
     * @param own the same as Jenkins writes it: a posted form may lack what Jenkins adds
     * @throws Conflict when both changed the same element
     */
    static TopElements merged(
            TopElements base, TopElements own, TopElements mine, TopElements theirs)
            throws Conflict {
        Set<String> names = new LinkedHashSet<>(mine.elements.keySet());
        names.addAll(theirs.elements.keySet());
        Map<String, String> elements = new LinkedHashMap<>();
        for (String name : names) {
            String before = base.elements.get(name);
            String written = own.elements.get(name);
            String here = mine.elements.get(name);
            String there = theirs.elements.get(name);
            boolean changedHere = !Objects.equals(here, before) && !Objects.equals(here, written);
            boolean changedThere =
                    !Objects.equals(there, before) && !Objects.equals(there, written);
            if (changedHere && changedThere && !Objects.equals(here, there)) {
                throw new Conflict("<" + name + ">");
            }
            String text = changedHere ? here : there;
            if (text != null) {
                elements.put(name, text);
            }
        }
        return new TopElements(mine.attributes, elements);
    }

    /** Writes all of it into the root, which has been begun. */
    void write(HierarchicalStreamWriter writer) {
        attributes.forEach(
                (name, value) -> {
                    if (!name.equals("class")) {
                        writer.addAttribute(name, value);
                    }
                });
        StringBuilder all = new StringBuilder("<all>");
        elements.values().forEach(all::append);
        HierarchicalStreamReader reader =
                XStream2.getDefaultDriver()
                        .createReader(
                                new StringReader(
                                        "<?xml version='1.1' encoding='UTF-8'?>" + all + "</all>"));
        try {
            while (reader.hasMoreChildren()) {
                reader.moveDown();
                new HierarchicalStreamCopier().copy(reader, writer);
                reader.moveUp();
            }
        } finally {
            reader.close();
        }
    }
}
