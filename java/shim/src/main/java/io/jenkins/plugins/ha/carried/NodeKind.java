package io.jenkins.plugins.ha.carried;

import hudson.XmlFile;
import hudson.model.Node;
import hudson.model.Queue;
import io.jenkins.plugins.ha.agents.PermanentAgents;
import io.jenkins.plugins.ha.linkage.UsesByReflection;
import java.io.File;
import java.io.IOException;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import jenkins.model.Jenkins;
import jenkins.model.Nodes;

/**
 * Permanent agents: their labels, executors, properties, and whether and why somebody has taken
 * them offline. A changed one is a new object for the computer that there is, which keeps its
 * connection and what runs on it. The agents of clouds are each controller's own.
 */
@UsesByReflection("method jenkins.model.Jenkins trimLabels ([Lhudson/model/Node;)V")
final class NodeKind implements Kind {
    private final Method trimLabels;

    NodeKind() {
        try {
            trimLabels = Jenkins.class.getDeclaredMethod("trimLabels", Node[].class);
            trimLabels.setAccessible(true);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("This Jenkins keeps its labels in another way", e);
        }
    }

    @Override
    public boolean deletable() {
        return true;
    }

    /** A file that was removed by hand takes no agent from those that work with it. */
    @Override
    public boolean isGone(String path) {
        return Jenkins.get().getNode(nameIn(path)) == null;
    }

    @Override
    public boolean carries(Path file, String path) {
        Node node = Jenkins.get().getNode(nameIn(path));
        if (node == null) {
            try {
                node = read(file);
            } catch (IOException e) {
                return false; // this controller does not have it itself
            }
        }
        // A copied agent is for nobody before its settings were saved once.
        return PermanentAgents.isOne(node) && !node.isHoldOffLaunchUntilSave();
    }

    @Override
    public void check(Path draft, String path) throws IOException {
        Node there = Jenkins.get().getNode(nameIn(path));
        if (there != null && !PermanentAgents.isOne(there)) {
            throw new IOException("an agent of a cloud has this name here");
        }
        if (!PermanentAgents.isOne(read(draft))) {
            throw new IOException("it is an agent of a cloud");
        }
    }

    private static Node read(Path file) throws IOException {
        if (Files.exists(file)
                && new XmlFile(Jenkins.XSTREAM, file.toFile()).read() instanceof Node node) {
            return node;
        }
        throw new IOException("it is no agent");
    }

    @Override
    public void inForce(String path, String before, String now) throws IOException {
        Jenkins jenkins = Jenkins.get();
        String name = nameIn(path);
        Node old = jenkins.getNode(name);
        jenkins.getNodesObject().load(new File(jenkins.getRootDir(), path).getParentFile());
        try { // core looks at the labels alone that it has now
            trimLabels.invoke(jenkins, (Object) new Node[] {old, jenkins.getNode(name)});
        } catch (ReflectiveOperationException e) {
            throw new IOException(e);
        }
        Queue.getInstance().scheduleMaintenance();
    }

    @Override
    public void remove(String path, String before) throws IOException {
        Jenkins jenkins = Jenkins.get();
        Nodes nodes = jenkins.getNodesObject();
        Node node = jenkins.getNode(nameIn(path));
        if (node != null && !PermanentAgents.isOne(node)) {
            return; // the deleted agent's name has been given to one of a cloud
        }
        if (node != null) {
            nodes.removeNode(node);
        }
        Folders.delete(jenkins.getRootDir().toPath().resolve(path).getParent());
    }

    private static String nameIn(String path) {
        return path.substring(path.indexOf('/') + 1, path.lastIndexOf('/'));
    }
}
