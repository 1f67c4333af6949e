package io.jenkins.plugins.ha.bridge;

/**
 * A live queue item of a job that has another full name than before.
 *
 * @param id the queue id
 * @param place of its job in the list of moved jobs, from 0
 * @param payload what is stored for it from now on, made for the new name
 */
public record MovedItem(long id, int place, byte[] payload) {}
