/** Executors and agents of all controllers, on the pages of each. */
package io.jenkins.plugins.ha.computers;
