/** What monitoring systems read of this controller and of the cluster's work. */
package io.jenkins.plugins.ha.watch;
