package io.jenkins.plugins.ha.builds;

import hudson.Extension;
import hudson.model.Job;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.Recent;
import java.io.IOException;
import java.nio.file.Files;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.logging.Level;
import java.util.logging.Logger;
import jenkins.model.PeepholePermalink;

/**
 * lastSuccessfulBuild and its like. Core keeps them in a file it reads once, so they are stale as
 * soon as another controller builds; these are forgotten whenever anything is heard of a job's
 * builds, and looked for again. Core's file is removed: if the plugin is, too, core looks for
 * itself.
 */
@Extension(ordinal = 1000)
public final class ClusterPermalinks implements PeepholePermalink.Cache {
    private static final Logger LOGGER = Logger.getLogger(ClusterPermalinks.class.getName());
    private static final int JOBS = 20_000;
    private static final Map<String, Map<String, Known>> KNOWN = Recent.map(JOBS);
    private static final Map<String, Long> FORGOTTEN = Recent.map(JOBS);
    private static final ThreadLocal<Long> ASKED = new ThreadLocal<>();
    private static final String FILE_OF_CORE = "permalinks";
    private static final Set<String> TIDIED = Recent.set(JOBS);

    /** Something happened to the job's builds. */
    static void forget(String job) {
        FORGOTTEN.merge(job, 1L, Long::sum);
        KNOWN.remove(job);
    }

    @Override
    public PermalinkTarget get(Job<?, ?> job, String id) {
        if (Membership.active().isEmpty()) {
            return UNKNOWN;
        }
        ASKED.set(FORGOTTEN.getOrDefault(job.getFullName(), 0L));
        Map<String, Known> known = KNOWN.get(job.getFullName());
        Known target = known == null ? null : known.get(id);
        return target == null ? UNKNOWN : target;
    }

    @Override
    public void put(Job<?, ?> job, String id, Known target) {
        Long asked = ASKED.get();
        ASKED.remove();
        String name = job.getFullName();
        if (Membership.active().isPresent() && TIDIED.add(name)) {
            removeFileOfCore(job);
        }
        if (Membership.active().isPresent()
                && (asked == null || asked.equals(FORGOTTEN.getOrDefault(name, 0L)))) {
            KNOWN.computeIfAbsent(name, n -> new ConcurrentHashMap<>()).put(id, target);
        }
    }

    private static void removeFileOfCore(Job<?, ?> job) {
        try {
            Files.deleteIfExists(job.getBuildDir().toPath().resolve(FILE_OF_CORE));
        } catch (IOException e) {
            LOGGER.log(Level.FINE, "The permalinks of " + job.getFullName() + " stay", e);
        }
    }
}
