package hudson;

import com.thoughtworks.xstream.XStream;
import java.io.File;
import java.io.IOException;

public final class XmlFile {
    public XmlFile(File file) {
        throw new UnsupportedOperationException();
    }

    public XmlFile(XStream xs, File file) {
        throw new UnsupportedOperationException();
    }

    public XmlFile(XStream xs, File file, boolean force) {
        throw new UnsupportedOperationException();
    }

    public XStream getXStream() {
        throw new UnsupportedOperationException();
    }

    public File getFile() {
        throw new UnsupportedOperationException();
    }

    public Object read() throws IOException {
        throw new UnsupportedOperationException();
    }

    public Object unmarshal(Object value) throws IOException {
        throw new UnsupportedOperationException();
    }

    public Object unmarshalNullingOut(Object value) throws IOException {
        throw new UnsupportedOperationException();
    }

    public void write(Object value) throws IOException {
        throw new UnsupportedOperationException();
    }

    public String asString() throws IOException {
        throw new UnsupportedOperationException();
    }

    public boolean exists() {
        throw new UnsupportedOperationException();
    }

    public void delete() throws IOException {
        throw new UnsupportedOperationException();
    }
}
