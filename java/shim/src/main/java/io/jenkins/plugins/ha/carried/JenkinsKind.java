package io.jenkins.plugins.ha.carried;

import hudson.BulkChange;
import hudson.XmlFile;
import io.jenkins.plugins.ha.people.LoginFilter;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import jenkins.model.Jenkins;

/**
 * Jenkins' own file: who may log in, who may do what, views, clouds, the message on top. It is read
 * into the Jenkins that runs, field by field, each of which is replaced in one step; nothing is
 * saved meanwhile.
 */
final class JenkinsKind implements Kind {
    private static final String REALM = "securityRealm";
    private static final List<String> OF_CLASSES =
            List.of(REALM, "authorizationStrategy", "markupFormatter", "crumbIssuer");
    private static final Pattern CLASS = Pattern.compile("class=\"([^\"]+)\"");

    private final Set<String> own;

    JenkinsKind(Set<String> own) {
        this.own = own;
    }

    @Override
    public Set<String> own() {
        return own;
    }

    /** Does not read it: that would make a second Jenkins. */
    @Override
    public void check(Path draft, String path) throws IOException {
        XmlParts parts = XmlParts.of(Files.readString(draft));
        for (String name : OF_CLASSES) {
            String element = parts.element(name);
            Matcher named = CLASS.matcher(element.substring(0, element.indexOf('>') + 1));
            if (named.find() && named.group(1).indexOf('.') > 0) {
                try {
                    Jenkins.get().getPluginManager().uberClassLoader.loadClass(named.group(1));
                } catch (ClassNotFoundException e) {
                    throw new IOException("this Jenkins does not have " + named.group(1), e);
                }
            }
        }
    }

    @Override
    public void inForce(String path, String before, String now) throws IOException {
        File file = new File(Jenkins.get().getRootDir(), path);
        BulkChange nothingSaved = new BulkChange(Jenkins.get());
        try {
            read(file, before, now);
        } catch (IOException | RuntimeException e) {
            Path draft = Folders.draft(file.toPath(), before);
            try {
                read(draft.toFile(), now, before);
            } finally {
                Files.deleteIfExists(draft);
            }
            throw e;
        } finally {
            nothingSaved.abort();
        }
    }

    private static void read(File file, String before, String now) throws IOException {
        Jenkins jenkins = Jenkins.get();
        synchronized (jenkins) { // as its save()
            new XmlFile(Jenkins.XSTREAM, file).unmarshal(jenkins);
            RemovedElements.empty(jenkins, before, now);
            jenkins.clouds.setOwner(jenkins);
        }
        if (!XmlParts.of(before).element(REALM).equals(XmlParts.of(now).element(REALM))) {
            // makes the chain of filters anew
            jenkins.setSecurityRealm(jenkins.getSecurityRealm());
            LoginFilter.ensureInPlace();
        }
    }
}
