package jenkins.model;

import hudson.XmlFile;
import hudson.model.Node;
import hudson.model.PersistenceRoot;
import java.io.File;
import java.io.IOException;

public class Nodes implements PersistenceRoot {
    Nodes() {}

    public XmlFile getConfigFile(String nodeName) {
        throw new UnsupportedOperationException();
    }

    public void load(File dir) throws IOException {
        throw new UnsupportedOperationException();
    }

    public void removeNode(Node node) throws IOException {
        throw new UnsupportedOperationException();
    }

    public File getRootDir() {
        throw new UnsupportedOperationException();
    }

    public void save() throws IOException {
        throw new UnsupportedOperationException();
    }
}
