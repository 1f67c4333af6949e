package hudson.model;

import jenkins.model.Jenkins;

public class Hudson {
    Hudson() {}

    public static class CloudList extends Jenkins.CloudList {
        CloudList() {}
    }
}
