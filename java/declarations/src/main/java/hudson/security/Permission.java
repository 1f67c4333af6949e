package hudson.security;

@SuppressWarnings("rawtypes")
public final class Permission {
    public final Class owner = null;

    public final PermissionGroup group = null;

    public final String name = null;

    public static final Permission READ = null;

    public static final Permission WRITE = null;

    public static final Permission CREATE = null;

    public static final Permission UPDATE = null;

    public static final Permission DELETE = null;

    public static final Permission CONFIGURE = null;

    Permission() {}

    public String getId() {
        throw new UnsupportedOperationException();
    }

    public static Permission fromId(String id) {
        throw new UnsupportedOperationException();
    }
}
