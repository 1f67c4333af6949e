package io.jenkins.plugins.ha.history;

import io.jenkins.plugins.ha.bridge.ConfigForm;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import org.kohsuke.stapler.export.Exported;
import org.kohsuke.stapler.export.ExportedBean;

/** A history, newest first, as shown and as answered by the API. */
@ExportedBean
public final class FormList {
    private final List<Entry> forms;
    private final String problem;

    private FormList(List<Entry> forms, String problem) {
        this.forms = forms;
        this.problem = problem;
    }

    static FormList of(List<ConfigForm> newestFirst) {
        List<Entry> entries = new ArrayList<>();
        boolean found = false;
        for (int i = 0; i < newestFirst.size(); i++) {
            ConfigForm form = newestFirst.get(i);
            boolean inForce = !found && form.wasInForce();
            found |= inForce;
            long before =
                    newestFirst.subList(i + 1, newestFirst.size()).stream()
                            .filter(ConfigForm::wasInForce)
                            .mapToLong(ConfigForm::id)
                            .findFirst()
                            .orElse(0);
            entries.add(new Entry(form, inForce, form.digest().isEmpty() ? 0 : before));
        }
        return new FormList(entries, "");
    }

    static FormList none(String problem) {
        return new FormList(List.of(), problem);
    }

    static String utc(long millis) {
        return Instant.ofEpochMilli(millis).truncatedTo(ChronoUnit.SECONDS).toString();
    }

    @Exported(inline = true)
    public List<Entry> getForms() {
        return forms;
    }

    /** Why nothing is known, or "". */
    public String getProblem() {
        return problem;
    }

    /** One form. */
    @ExportedBean(defaultVisibility = 999)
    public static final class Entry {
        private final ConfigForm form;
        private final boolean inForce;
        private final long before;

        Entry(ConfigForm form, boolean inForce, long before) {
            this.form = form;
            this.inForce = inForce;
            this.before = before;
        }

        @Exported
        public long getId() {
            return form.id();
        }

        @Exported
        public String getKind() {
            return form.kind().name();
        }

        /** When it was made, ms since 1970. */
        @Exported
        public long getMade() {
            return form.madeMillis();
        }

        /** Who made it; "" where nobody of the cluster was seen doing it. */
        @Exported
        public String getAuthor() {
            return form.author();
        }

        @Exported
        public String getController() {
            return form.controllerName();
        }

        /** More in words; of what was moved the name before. */
        @Exported
        public String getNote() {
            return form.note();
        }

        /** SHA-256 of the XML; "" where there is none. */
        @Exported
        public String getDigest() {
            return form.digest();
        }

        /** Whether it is the newest that was taken. */
        @Exported
        public boolean isInForce() {
            return inForce;
        }

        /** The form before it, to be compared with; 0 for none. */
        @Exported
        public long getBefore() {
            return before;
        }

        /** What is configured. */
        @Exported
        public String getSubject() {
            return form.subject();
        }

        public Date getTime() {
            return new Date(form.madeMillis());
        }

        public boolean isText() {
            return !form.digest().isEmpty();
        }

        /** What happened, for people. */
        public String getWhat() {
            return switch (form.kind()) {
                case CHANGED -> "changed";
                case CREATED -> "created";
                case FOUND -> "found so in the file";
                case MOVED -> "was " + form.note() + " before";
                case DELETED -> "deleted";
                case REFUSED -> "not in force";
            };
        }

        /** The note, where {@link #getWhat} does not say it. */
        public String getMore() {
            return form.kind() == ConfigForm.Kind.MOVED ? "" : form.note();
        }
    }
}
