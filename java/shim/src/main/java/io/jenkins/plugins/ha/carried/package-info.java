/**
 * Settings and users that are the cluster's: a change on one controller is in force on all. Each is
 * a file of the home, carried as its text with a version.
 */
package io.jenkins.plugins.ha.carried;
