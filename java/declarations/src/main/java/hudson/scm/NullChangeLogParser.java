package hudson.scm;

public class NullChangeLogParser extends ChangeLogParser {
    public static final NullChangeLogParser INSTANCE = null;

    NullChangeLogParser() {}
}
