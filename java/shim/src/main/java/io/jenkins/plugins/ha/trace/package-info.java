/** What happened to a queue item on which controller, for people and for API clients. */
package io.jenkins.plugins.ha.trace;
