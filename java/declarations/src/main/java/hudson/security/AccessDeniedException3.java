package hudson.security;

import org.springframework.security.access.AccessDeniedException;
import org.springframework.security.core.Authentication;

@SuppressWarnings("serial")
public class AccessDeniedException3 extends AccessDeniedException {
    public AccessDeniedException3(Authentication authentication, Permission permission) {
        super(null);
        throw new UnsupportedOperationException();
    }

    public AccessDeniedException3(
            Throwable throwable, Authentication authentication, Permission permission) {
        super(null);
        throw new UnsupportedOperationException();
    }
}
