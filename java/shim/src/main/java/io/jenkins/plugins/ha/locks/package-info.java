/** Locks and milestones of Pipelines and jobs, in the whole cluster: what plugins keep per home. */
package io.jenkins.plugins.ha.locks;
