package hudson.model;

import hudson.security.ACL;
import hudson.security.AccessControlled;
import hudson.util.XStream2;
import java.io.IOException;
import java.util.Map;
import jenkins.model.IdStrategy;
import org.springframework.security.core.Authentication;
import org.springframework.security.core.userdetails.UsernameNotFoundException;

@SuppressWarnings("rawtypes")
public class User implements AccessControlled, ModelObject, Saveable {
    public static final XStream2 XSTREAM = null;

    User() {}

    public static User current() {
        throw new UnsupportedOperationException();
    }

    public static User get(String idOrFullName, boolean create, Map context) {
        throw new UnsupportedOperationException();
    }

    public static User getById(String id, boolean create) {
        throw new UnsupportedOperationException();
    }

    public static User getOrCreateByIdOrFullName(String idOrFullName) {
        throw new UnsupportedOperationException();
    }

    public static IdStrategy idStrategy() {
        throw new UnsupportedOperationException();
    }

    public static User getUnknown() {
        throw new UnsupportedOperationException();
    }

    public static void reload() throws IOException {
        throw new UnsupportedOperationException();
    }

    public String getId() {
        throw new UnsupportedOperationException();
    }

    public String getFullName() {
        throw new UnsupportedOperationException();
    }

    public void setFullName(String name) {
        throw new UnsupportedOperationException();
    }

    public String getDisplayName() {
        throw new UnsupportedOperationException();
    }

    public String getUrl() {
        throw new UnsupportedOperationException();
    }

    public Authentication impersonate2() throws UsernameNotFoundException {
        throw new UnsupportedOperationException();
    }

    public <T extends UserProperty> T getProperty(Class<T> clazz) {
        throw new UnsupportedOperationException();
    }

    public ACL getACL() {
        throw new UnsupportedOperationException();
    }

    public void save() throws IOException {
        throw new UnsupportedOperationException();
    }
}
