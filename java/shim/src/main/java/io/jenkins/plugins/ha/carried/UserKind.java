package io.jenkins.plugins.ha.carried;

import hudson.ExtensionList;
import hudson.XmlFile;
import hudson.model.User;
import io.jenkins.plugins.ha.linkage.UsesByReflection;
import java.io.File;
import java.io.IOException;
import java.lang.reflect.Constructor;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.nio.file.Path;
import java.util.concurrent.ConcurrentMap;
import jenkins.model.Jenkins;
import jenkins.security.UserDetailsCache;

/**
 * Users: a changed one is read anew and takes the place of the one that was there, so that at no
 * moment a user is half himself. Sessions ask for their user by name at each request, so a changed
 * seed ends them here too.
 */
@UsesByReflection({
    "field hudson.model.User$AllUsers byName Ljava/util/concurrent/ConcurrentMap;",
    "method hudson.model.User <init> (Ljava/lang/String;Ljava/lang/String;)V",
    "method hudson.model.User getUserFolderNameFor (Ljava/lang/String;)Ljava/lang/String;"
})
final class UserKind implements Kind {
    private final Constructor<User> constructor;
    private final Method folderName;
    private final Field byName;
    private final Class<?> allUsers;

    UserKind() {
        try {
            constructor = User.class.getDeclaredConstructor(String.class, String.class);
            constructor.setAccessible(true);
            folderName = User.class.getDeclaredMethod("getUserFolderNameFor", String.class);
            folderName.setAccessible(true);
            allUsers =
                    Class.forName("hudson.model.User$AllUsers", true, User.class.getClassLoader());
            byName = allUsers.getDeclaredField("byName");
            byName.setAccessible(true);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("This Jenkins keeps its users in another way", e);
        }
    }

    @Override
    public boolean deletable() {
        return true;
    }

    @Override
    public void check(Path draft, String path) throws IOException {
        if (!(new XmlFile(User.XSTREAM, draft.toFile()).read() instanceof User user)
                || user.getId() == null) {
            throw new IOException("it is no user");
        }
        // Jenkins reads a user from the folder that the secrets give the name of.
        if (!path.equals("users/" + folderOf(user) + "/config.xml")) {
            throw new IOException(
                    "this Jenkins keeps the user "
                            + user.getId()
                            + " in another folder: the secrets differ");
        }
    }

    private String folderOf(User user) throws IOException {
        try {
            return (String) folderName.invoke(null, user.getId());
        } catch (ReflectiveOperationException e) {
            throw new IOException(e);
        }
    }

    @Override
    public void inForce(String path, String before, String now) throws IOException {
        String id = idIn(path);
        try {
            User fresh = constructor.newInstance(id, id);
            users().put(User.idStrategy().keyFor(id), fresh);
        } catch (ReflectiveOperationException e) {
            throw new IOException("the user " + id + " cannot be read", e);
        }
        UserDetailsCache.get().invalidate(User.idStrategy().keyFor(id));
    }

    /**
     * Who held a user while a change from elsewhere came has saved the object that was put aside:
     * the one that is asked for would never know.
     */
    @Override
    public void savedHere(String path, String text) throws IOException {
        User present = users().get(User.idStrategy().keyFor(idIn(path)));
        if (present != null && !text.strip().endsWith(User.XSTREAM.toXML(present).strip())) {
            inForce(path, text, text);
        }
    }

    @Override
    public void remove(String path, String before) throws IOException {
        String id = idIn(path);
        users().remove(User.idStrategy().keyFor(id));
        Folders.delete(Jenkins.get().getRootDir().toPath().resolve(path).getParent());
        UserDetailsCache.get().invalidate(User.idStrategy().keyFor(id));
    }

    private static String idIn(String path) throws IOException {
        File file = new File(Jenkins.get().getRootDir(), path);
        if (new XmlFile(User.XSTREAM, file).read() instanceof User user && user.getId() != null) {
            return user.getId();
        }
        throw new IOException("it is no user");
    }

    @SuppressWarnings("unchecked") // as core declares it
    private ConcurrentMap<String, User> users() throws IOException {
        try {
            return (ConcurrentMap<String, User>)
                    byName.get(ExtensionList.lookupSingleton(allUsers));
        } catch (IllegalAccessException e) {
            throw new IOException(e);
        }
    }
}
