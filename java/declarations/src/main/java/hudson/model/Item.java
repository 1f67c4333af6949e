package hudson.model;

import hudson.security.AccessControlled;
import hudson.security.Permission;
import java.io.IOException;
import java.util.Collection;
import jenkins.model.FullyNamed;
import jenkins.model.FullyNamedModelObject;

@SuppressWarnings("rawtypes")
public interface Item extends PersistenceRoot, FullyNamedModelObject, FullyNamed, AccessControlled {
    Permission CREATE = null;

    Permission DELETE = null;

    Permission CONFIGURE = null;

    Permission READ = null;

    Permission DISCOVER = null;

    Permission EXTENDED_READ = null;

    Permission BUILD = null;

    Permission WORKSPACE = null;

    Permission CANCEL = null;

    ItemGroup<? extends Item> getParent();

    String getName();

    String getFullName();

    String getDisplayName();

    String getUrl();

    String getShortUrl();

    void onLoad(ItemGroup<? extends Item> parent, String name) throws IOException;

    void onCopiedFrom(Item item);

    default void onCreatedFromScratch() {
        throw new UnsupportedOperationException();
    }

    void save() throws IOException;

    void delete() throws IOException, InterruptedException;

    Collection<? extends Job> getAllJobs();
}
