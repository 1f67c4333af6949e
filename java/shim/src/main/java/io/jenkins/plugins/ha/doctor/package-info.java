/**
 * What is wrong with the cluster, or will be, told before it hurts: each controller looks at itself
 * when it is asked to, and whoever asks puts the answers together.
 */
package io.jenkins.plugins.ha.doctor;
