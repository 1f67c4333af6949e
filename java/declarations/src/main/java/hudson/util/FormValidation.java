package hudson.util;

import jakarta.servlet.ServletException;
import java.io.IOException;
import java.util.Collection;
import org.kohsuke.stapler.HttpResponse;
import org.kohsuke.stapler.StaplerResponse2;

@SuppressWarnings("serial")
public abstract class FormValidation extends IOException implements HttpResponse {
    public final FormValidation.Kind kind = null;

    FormValidation() {
        super();
    }

    public static FormValidation ok() {
        throw new UnsupportedOperationException();
    }

    public static FormValidation ok(String text) {
        throw new UnsupportedOperationException();
    }

    public static FormValidation ok(String text, Object... values) {
        throw new UnsupportedOperationException();
    }

    public static FormValidation okWithMarkup(String text) {
        throw new UnsupportedOperationException();
    }

    public static FormValidation warning(String text) {
        throw new UnsupportedOperationException();
    }

    public static FormValidation warning(String text, Object... values) {
        throw new UnsupportedOperationException();
    }

    public static FormValidation warning(Throwable throwable, String text) {
        throw new UnsupportedOperationException();
    }

    public static FormValidation warning(Throwable throwable, String text, Object... values) {
        throw new UnsupportedOperationException();
    }

    public static FormValidation error(String text) {
        throw new UnsupportedOperationException();
    }

    public static FormValidation error(String text, Object... values) {
        throw new UnsupportedOperationException();
    }

    public static FormValidation error(Throwable throwable, String text) {
        throw new UnsupportedOperationException();
    }

    public static FormValidation error(Throwable throwable, String text, Object... values) {
        throw new UnsupportedOperationException();
    }

    protected void respond(StaplerResponse2 staplerResponse2, String text)
            throws IOException, ServletException {
        throw new UnsupportedOperationException();
    }

    public static FormValidation respond(FormValidation.Kind kind, String text) {
        throw new UnsupportedOperationException();
    }

    public static FormValidation aggregate(Collection<FormValidation> collection) {
        throw new UnsupportedOperationException();
    }

    public static FormValidation validateRequired(String text) {
        throw new UnsupportedOperationException();
    }

    public static FormValidation validatePositiveInteger(String text) {
        throw new UnsupportedOperationException();
    }

    public abstract String renderHtml();

    public enum Kind {
        OK,
        WARNING,
        ERROR
    }
}
