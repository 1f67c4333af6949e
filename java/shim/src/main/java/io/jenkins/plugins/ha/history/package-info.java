/**
 * Each form that a configuration had is kept in the database, shown, compared, and can be restored.
 */
package io.jenkins.plugins.ha.history;
