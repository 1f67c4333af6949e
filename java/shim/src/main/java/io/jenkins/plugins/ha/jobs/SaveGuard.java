package io.jenkins.plugins.ha.jobs;

import com.thoughtworks.xstream.XStream;
import com.thoughtworks.xstream.converters.MarshallingContext;
import com.thoughtworks.xstream.converters.UnmarshallingContext;
import com.thoughtworks.xstream.io.HierarchicalStreamReader;
import com.thoughtworks.xstream.io.HierarchicalStreamWriter;
import hudson.XmlFile;
import hudson.model.AbstractItem;
import hudson.model.Items;
import hudson.model.TopLevelItem;
import hudson.util.RobustReflectionConverter;
import hudson.util.XStream2;
import io.jenkins.plugins.ha.history.FormHistory;
import io.jenkins.plugins.ha.linkage.UsesByReflection;
import java.io.File;
import java.io.IOException;
import java.io.StringWriter;
import java.lang.reflect.Field;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * Notices, before a config.xml is written, that another controller has changed it since this one
 * read it. The two changes are put together where they are about different elements; otherwise the
 * save is refused, and what the other wrote stays. Any thread.
 */
@UsesByReflection("field hudson.XmlFile writing Ljava/lang/ThreadLocal;")
final class SaveGuard extends RobustReflectionConverter {
    private static final Logger LOGGER = Logger.getLogger(SaveGuard.class.getName());

    /** So far a cause is looked for. */
    private static final int DEEPEST = 20;

    /** A save that would undo what another controller wrote, or what this one cannot read. */
    static final class Refused extends IllegalStateException {
        private static final long serialVersionUID = 1L;

        Refused(String message) {
            super(message);
        }

        /** The one that is behind this failure; null for none. */
        static Refused in(Throwable failure) {
            Throwable cause = failure;
            for (int depth = 0; cause != null && depth < DEEPEST; depth++) {
                if (cause instanceof Refused refused) {
                    return refused;
                }
                cause = cause.getCause();
            }
            return null;
        }
    }

    /**
     * Jenkins' own converter of items. This one is of its class, because Jenkins looks for it where
     * a new form is put in force: it would leave the item what the form does not mention.
     */
    private static final class Jenkinss extends XStream2.PassthruConverter<AbstractItem> {
        Jenkinss() {
            super(Items.XSTREAM2);
        }

        @Override
        protected void callback(AbstractItem item, UnmarshallingContext context) {
            // reading is as ever
        }
    }

    private final Jenkinss ordinary = new Jenkinss();
    private final SharedItems items;
    private final ThreadLocal<File> writing;
    private final ThreadLocal<Boolean> inside = ThreadLocal.withInitial(() -> false);

    private SaveGuard(SharedItems items) throws ReflectiveOperationException {
        super(Items.XSTREAM2.getMapper(), Items.XSTREAM2.getReflectionProvider());
        this.items = items;
        Field field = XmlFile.class.getDeclaredField("writing");
        field.setAccessible(true);
        @SuppressWarnings("unchecked") // so in every version that has it
        ThreadLocal<File> present = (ThreadLocal<File>) field.get(null);
        this.writing = present;
    }

    /** From now on every save of an item is looked at. */
    static void install(SharedItems items) {
        try {
            Items.XSTREAM2.registerConverter(new SaveGuard(items), XStream.PRIORITY_VERY_HIGH);
        } catch (ReflectiveOperationException e) {
            LOGGER.log(
                    Level.WARNING,
                    "Two changes of one job at the same time on two controllers are not noticed:"
                            + " this version of Jenkins hides what is needed",
                    e);
        }
    }

    @Override
    @SuppressWarnings("rawtypes") // so declared by XStream
    public boolean canConvert(Class type) {
        if (type == null
                || !AbstractItem.class.isAssignableFrom(type)
                || !TopLevelItem.class.isAssignableFrom(type)) {
            return false;
        }
        for (Class<?> each = type; each != AbstractItem.class; each = each.getSuperclass()) {
            try {
                Class.forName(each.getName() + "$ConverterImpl", false, each.getClassLoader());
                return false; // it has its own way
            } catch (ClassNotFoundException | LinkageError e) {
                continue;
            }
        }
        return true;
    }

    @Override
    public Object unmarshal(HierarchicalStreamReader reader, UnmarshallingContext context) {
        return ordinary.unmarshal(reader, context);
    }

    @Override
    public void marshal(
            Object source, HierarchicalStreamWriter writer, MarshallingContext context) {
        TopElements merged = source instanceof AbstractItem item ? mergedOrRefused(item) : null;
        if (merged == null) {
            ordinary.marshal(source, writer, context);
        } else {
            merged.write(writer);
        }
    }

    private TopElements mergedOrRefused(AbstractItem item) {
        try {
            return merged(item);
        } catch (RuntimeException e) {
            items.notWritten(item);
            throw e;
        }
    }

    /** What to write instead of the item as it is in memory; null when that is right. */
    private TopElements merged(AbstractItem item) {
        File file = writing.get();
        if (inside.get() || SharedItems.isApplying() || file == null) {
            return null;
        }
        if (item.getParent() == null || !file.equals(item.getConfigFile().getFile())) {
            return null;
        }
        items.mergedHere(false);
        items.written(item, file);
        String name = item.getFullName();
        File folder = file.getParentFile();
        if (items.forms().of(folder) == null && file.isFile()) {
            items.loadedHere(item);
        }
        String reason = items.unreadable().reason(name);
        if (reason != null) {
            items.lookAgain(item);
            KnownForms.Form read = items.forms().of(folder);
            throw refused(
                    item,
                    read == null ? "" : read.hash(),
                    written(item),
                    name
                            + " is not saved: this controller cannot read its configuration as"
                            + " another one wrote it ("
                            + reason
                            + "), and would lose that.");
        }
        KnownForms.Form known = items.forms().of(folder);
        if (known == null || known.stamp().equals(KnownForms.stamp(file))) {
            return null;
        }
        byte[] now;
        try {
            now = Files.readAllBytes(file.toPath());
        } catch (IOException e) {
            return null; // deleted meanwhile, or made for the first time
        }
        return KnownForms.hash(now).equals(known.hash()) ? null : merged(item, known, now);
    }

    private String written(Object item) {
        StringWriter text = new StringWriter();
        File present = writing.get();
        inside.set(true);
        writing.remove(); // Jenkins would write a mere reference to any other item
        try {
            Items.XSTREAM2.toXML(item, text);
        } finally {
            writing.set(present);
            inside.set(false);
        }
        return text.toString();
    }

    /** The form as this controller would write it. */
    private String asWritten(String base, KnownForms.Form known) {
        try {
            return written(ItemForm.of(base.getBytes(StandardCharsets.UTF_8), known).item());
        } catch (IOException | RuntimeException e) {
            LOGGER.log(Level.FINE, "As it is, then", e);
            return base;
        }
    }

    private TopElements merged(AbstractItem item, KnownForms.Form known, byte[] now) {
        String theirs = new String(now, StandardCharsets.UTF_8);
        String base = known.text();
        String mine = written(item);
        items.history().found(item.getFullName(), known.hash(), now);
        items.lookAgain(item); // what is in the file is right, whatever comes of this
        try {
            TopElements merged =
                    TopElements.merged(
                            TopElements.of(base),
                            TopElements.of(asWritten(base, known)),
                            TopElements.of(mine),
                            TopElements.of(theirs));
            LOGGER.log(
                    Level.INFO,
                    "{0} was changed on two controllers at once; both changes are kept",
                    item.getFullName());
            items.mergedHere(true);
            return merged;
        } catch (TopElements.Conflict e) {
            throw refused(
                    item,
                    known.hash(),
                    mine,
                    item.getFullName()
                            + " is not saved: another controller has changed it at the same time"
                            + " ("
                            + e.getMessage()
                            + "). Look at it as it is now, and make the change again.");
        }
    }

    /** What was to be saved is kept where its author can look at it, and he is told. */
    private Refused refused(AbstractItem item, String base, String mine, String why) {
        items.history()
                .refused(
                        item.getFullName(),
                        FormHistory.author(),
                        base,
                        mine.getBytes(StandardCharsets.UTF_8),
                        "made from a form that another controller had changed meanwhile");
        String message =
                why
                        + " What you would have saved is in its configuration history, marked as"
                        + " not in force: "
                        + item.getUrl()
                        + "ha-history/";
        LOGGER.warning(message);
        return new Refused(message);
    }
}
