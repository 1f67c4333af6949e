package io.jenkins.plugins.ha.builds;

import hudson.Extension;
import hudson.model.Executor;
import hudson.model.Queue;
import hudson.model.Run;
import io.jenkins.plugins.ha.Membership;
import java.lang.ref.SoftReference;
import jenkins.model.lazy.BuildReference;

/**
 * Lets Jenkins forget a build that another controller has changed since it was read here, so that
 * the next look reads it again.
 */
@Extension(ordinal = 1000)
public final class FreshBuilds implements BuildReference.HolderFactory {
    /** What {@link BuildNews#allowLoad} knew just before this thread read the build. */
    private static final ThreadLocal<About> ABOUT = new ThreadLocal<>();

    private record About(BuildKey key, long version) {}

    static void about(BuildKey key, long version) {
        ABOUT.set(new About(key, version));
    }

    @Override
    public <R> BuildReference.Holder<R> make(R referent) {
        Membership membership = Membership.active().orElse(null);
        if (membership == null || !(referent instanceof Run<?, ?> run)) {
            return null;
        }
        About about = ABOUT.get();
        ABOUT.remove();
        BuildKey key = BuildKey.of(run);
        long version =
                about != null && about.key.equals(key)
                        ? about.version
                        : membership.builds().version(key);
        return new Fresh<>(referent, membership.builds(), key, version);
    }

    private static final class Fresh<R> extends SoftReference<R>
            implements BuildReference.Holder<R> {
        private final ForeignBuilds builds;
        private final BuildKey key;
        private final long version;

        Fresh(R referent, ForeignBuilds builds, BuildKey key, long version) {
            super(referent);
            this.builds = builds;
            this.key = key;
            this.version = version;
        }

        private BuildKey keyOf(R referent) {
            return referent instanceof Run<?, ?> run
                            && !run.getParent().getFullName().equals(key.job())
                    ? BuildKey.of(run)
                    : key;
        }

        @Override
        public R get() {
            R referent = super.get();
            // under the name that its job has now
            if (referent == null || builds.version(keyOf(referent)) <= version) {
                return referent;
            }
            // one that runs here is the truth itself
            return builds.goesOn(key)
                            || referent instanceof Queue.Executable executable
                                    && Executor.of(executable) != null
                    ? referent
                    : null;
        }
    }
}
