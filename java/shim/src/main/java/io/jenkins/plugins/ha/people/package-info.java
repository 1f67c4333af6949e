/** People go from controller to controller: who has logged in on one has logged in on all. */
package io.jenkins.plugins.ha.people;
