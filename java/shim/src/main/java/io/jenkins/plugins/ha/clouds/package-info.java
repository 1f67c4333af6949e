/**
 * Agents of clouds: asked for at once, counted in the cluster, and ended by a survivor when their
 * controller died.
 */
package io.jenkins.plugins.ha.clouds;
