package hudson.slaves;

public class AbstractCloudComputer<T extends AbstractCloudSlave> extends SlaveComputer {
    public AbstractCloudComputer(T slave) {
        throw new UnsupportedOperationException();
    }
}
