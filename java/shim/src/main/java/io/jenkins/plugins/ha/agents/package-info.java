/**
 * Permanent agents serve the whole cluster: each works for one controller at a time, its owner, and
 * goes where it is needed.
 */
package io.jenkins.plugins.ha.agents;
