package hudson.security.csrf;

import hudson.model.Descriptor;

public abstract class CrumbIssuerDescriptor<T extends CrumbIssuer> extends Descriptor<CrumbIssuer> {
    CrumbIssuerDescriptor() {}

    public String getCrumbRequestField() {
        throw new UnsupportedOperationException();
    }

    public String getCrumbSalt() {
        throw new UnsupportedOperationException();
    }
}
