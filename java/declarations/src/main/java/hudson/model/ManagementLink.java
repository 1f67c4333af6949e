package hudson.model;

import hudson.ExtensionList;
import hudson.ExtensionPoint;
import hudson.security.Permission;

public abstract class ManagementLink implements ExtensionPoint, Action {
    public ManagementLink() {
        throw new UnsupportedOperationException();
    }

    public abstract String getIconFileName();

    public String getDescription() {
        throw new UnsupportedOperationException();
    }

    public abstract String getUrlName();

    public Permission getRequiredPermission() {
        throw new UnsupportedOperationException();
    }

    public boolean getRequiresConfirmation() {
        throw new UnsupportedOperationException();
    }

    public boolean getRequiresPOST() {
        throw new UnsupportedOperationException();
    }

    public ManagementLink.Category getCategory() {
        throw new UnsupportedOperationException();
    }

    public static ExtensionList<ManagementLink> all() {
        throw new UnsupportedOperationException();
    }

    public enum Category {
        CONFIGURATION,
        SECURITY,
        STATUS,
        TROUBLESHOOTING,
        TOOLS,
        MISC,
        UNCATEGORIZED
    }
}
