/**
 * The plugin's own threads: each has a name and an owner, goes on whatever is thrown in it, and is
 * watched. A controller of which one cannot do its part leaves the cluster and says why.
 */
package io.jenkins.plugins.ha.life;
