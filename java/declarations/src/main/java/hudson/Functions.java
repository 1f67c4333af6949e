package hudson;

public class Functions {
    Functions() {}

    public static boolean isExtensionsAvailable() {
        throw new UnsupportedOperationException();
    }
}
