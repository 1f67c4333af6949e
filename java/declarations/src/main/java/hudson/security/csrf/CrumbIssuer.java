package hudson.security.csrf;

import hudson.ExtensionPoint;
import hudson.model.Describable;
import jakarta.servlet.ServletRequest;

public abstract class CrumbIssuer implements Describable<CrumbIssuer>, ExtensionPoint {
    CrumbIssuer() {}

    public boolean validateCrumb(ServletRequest request, String salt, String crumb) {
        throw new UnsupportedOperationException();
    }

    public CrumbIssuerDescriptor<CrumbIssuer> getDescriptor() {
        throw new UnsupportedOperationException();
    }
}
