package jenkins.util;

import java.util.logging.Level;

public class SystemProperties {
    SystemProperties() {}

    public static String getString(String text) {
        throw new UnsupportedOperationException();
    }

    public static String getString(String text, String text2) {
        throw new UnsupportedOperationException();
    }

    public static String getString(String text, String text2, Level level) {
        throw new UnsupportedOperationException();
    }

    public static boolean getBoolean(String text) {
        throw new UnsupportedOperationException();
    }

    public static boolean getBoolean(String text, boolean flag) {
        throw new UnsupportedOperationException();
    }

    public static Integer getInteger(String text) {
        throw new UnsupportedOperationException();
    }

    public static Integer getInteger(String text, Integer number) {
        throw new UnsupportedOperationException();
    }

    public static Integer getInteger(String text, Integer number, Level level) {
        throw new UnsupportedOperationException();
    }

    public static Long getLong(String text) {
        throw new UnsupportedOperationException();
    }

    public static Long getLong(String text, Long number) {
        throw new UnsupportedOperationException();
    }

    public static Long getLong(String text, Long number, Level level) {
        throw new UnsupportedOperationException();
    }
}
