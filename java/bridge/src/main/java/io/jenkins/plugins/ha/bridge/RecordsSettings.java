package io.jenkins.plugins.ha.bridge;

/**
 * Where the build records are.
 *
 * @param url {@code postgresql://user@host[:port]/database[?sslmode=require]} or {@code
 *     sqlite:/absolute/path.db}
 * @param password wins over the one in the URL; "" for none
 * @param cluster name of the cluster: several may share a database
 * @param controllerId stable id of this controller
 * @param incarnation this boot of it
 * @param outbox folder in this controller's home for what the database could not take yet
 */
public record RecordsSettings(
        String url,
        String password,
        String cluster,
        String controllerId,
        String incarnation,
        String outbox) {
    /** Without secrets. */
    @Override
    public String toString() {
        return "RecordsSettings[" + cluster + " for " + controllerId + "]";
    }
}
