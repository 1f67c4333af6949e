package io.jenkins.plugins.ha.bridge;

import java.util.List;

/**
 * What builds are asked for; null or empty means any. All given conditions must hold.
 *
 * @param jobs full names; null for all jobs; an empty list finds nothing (the caller may see none)
 * @param result SUCCESS, ...; {@code RUNNING} for those that run
 * @param user id of a user among the causes
 * @param cause part of a cause's description, without regard to case
 * @param parameterName name of a parameter
 * @param parameterValue its exact value; with a name only
 * @param controller id or name of a controller
 * @param agent name of an agent
 * @param commit id of a commit, or the beginning of one (7 characters or more)
 * @param fromMillis started at or after, 0 for any
 * @param toMillis started before, 0 for any
 * @param after key of the last build of the page before ({@link BuildPage#next()}), or ""
 * @param limit 1 to 1000
 */
public record BuildQuery(
        List<String> jobs,
        String result,
        String user,
        String cause,
        String parameterName,
        String parameterValue,
        String controller,
        String agent,
        String commit,
        long fromMillis,
        long toMillis,
        String after,
        int limit) {
    private static final Parcel<BuildQuery> PARCEL = Parcel.of(BuildQuery.class);

    /** For the library. */
    byte[] text() {
        return PARCEL.text(this);
    }

    /** All builds of one job, newest number first. */
    public static BuildQuery ofJob(String job, String after, int limit) {
        return new BuildQuery(List.of(job), "", "", "", "", "", "", "", "", 0, 0, after, limit);
    }
}
