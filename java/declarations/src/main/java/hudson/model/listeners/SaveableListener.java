package hudson.model.listeners;

import hudson.ExtensionList;
import hudson.ExtensionPoint;
import hudson.XmlFile;
import hudson.model.Saveable;

public abstract class SaveableListener implements ExtensionPoint {
    public SaveableListener() {
        throw new UnsupportedOperationException();
    }

    public void onChange(Saveable saveable, XmlFile file) {
        throw new UnsupportedOperationException();
    }

    public void onDeleted(Saveable saveable, XmlFile file) {
        throw new UnsupportedOperationException();
    }

    public static void fireOnChange(Saveable saveable, XmlFile file) {
        throw new UnsupportedOperationException();
    }

    public static ExtensionList<SaveableListener> all() {
        throw new UnsupportedOperationException();
    }
}
