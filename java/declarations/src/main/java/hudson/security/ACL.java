package hudson.security;

import hudson.model.User;
import org.springframework.security.core.Authentication;

public abstract class ACL {
    public static final String ANONYMOUS_USERNAME = null;

    public static final String SYSTEM_USERNAME = null;

    public static final Authentication SYSTEM2 = null;

    ACL() {}

    public static ACLContext as(User user) {
        throw new UnsupportedOperationException();
    }

    public static ACLContext as2(Authentication auth) {
        throw new UnsupportedOperationException();
    }

    public final boolean hasPermission(Permission permission) {
        throw new UnsupportedOperationException();
    }

    public final void checkPermission(Permission permission) {
        throw new UnsupportedOperationException();
    }

    public boolean hasPermission2(Authentication authentication, Permission permission) {
        throw new UnsupportedOperationException();
    }

    public static boolean isAnonymous2(Authentication authentication) {
        throw new UnsupportedOperationException();
    }
}
