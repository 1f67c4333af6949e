package hudson.model;

import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.Serializable;

public interface TaskListener extends Serializable {
    TaskListener NULL = null;

    PrintStream getLogger();

    default PrintWriter error(String text) {
        throw new UnsupportedOperationException();
    }

    default PrintWriter error(String text, Object... values) {
        throw new UnsupportedOperationException();
    }

    default PrintWriter fatalError(String text) {
        throw new UnsupportedOperationException();
    }

    default PrintWriter fatalError(String text, Object... values) {
        throw new UnsupportedOperationException();
    }

    default void hyperlink(String text, String text2) throws IOException {
        throw new UnsupportedOperationException();
    }
}
