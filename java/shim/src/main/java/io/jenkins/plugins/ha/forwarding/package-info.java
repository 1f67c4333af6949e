/**
 * What only the controller that runs a build can answer is passed on to it, from whichever
 * controller it was asked of, and answered there as whoever asked.
 */
package io.jenkins.plugins.ha.forwarding;
