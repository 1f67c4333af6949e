/**
 * Stands for the plugins of others: extensions of Jenkins that do nothing until a test switches
 * them on ({@link io.jenkins.plugins.ha.extensions.Switches}). They run on plain controllers and in
 * clusters alike, so that both can be compared.
 */
package io.jenkins.plugins.ha.extensions;
