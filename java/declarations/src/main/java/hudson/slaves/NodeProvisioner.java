package hudson.slaves;

public class NodeProvisioner {
    NodeProvisioner() {}

    public void suggestReviewNow() {
        throw new UnsupportedOperationException();
    }

    public static class PlannedNode {
        PlannedNode() {}
    }
}
