/**
 * The way from Java to the HA Jenkins library: {@link io.jenkins.plugins.ha.bridge.Cluster} is this
 * controller's membership in a cluster, and {@link io.jenkins.plugins.ha.bridge.HaException} all
 * that goes wrong. Knows nothing of Jenkins.
 */
package io.jenkins.plugins.ha.bridge;
