package io.jenkins.plugins.ha.bridge;

import java.util.List;

/**
 * Answer to {@link Cluster#enqueue} and {@link Cluster#fold}.
 *
 * @param accepted it was stored; false: the job's waiting items are no longer those the caller had
 *     seen, nothing was stored
 * @param revision the job's revision now
 * @param queued when not accepted: those of the job's QUEUED and CLAIMED items that are newer; else
 *     empty
 */
public record Enqueued(boolean accepted, long revision, List<Item> queued) {}
