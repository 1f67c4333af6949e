package jenkins.model;

import hudson.ExtensionPoint;
import hudson.model.Job;
import hudson.model.PermalinkProjectAction;
import hudson.model.Run;
import java.io.Serializable;
import java.util.function.Predicate;

@SuppressWarnings("serial")
public abstract class PeepholePermalink extends PermalinkProjectAction.Permalink
        implements Predicate<Run<?, ?>> {
    PeepholePermalink() {}

    public Run<?, ?> resolve(Job<?, ?> job) {
        throw new UnsupportedOperationException();
    }

    public interface Cache extends ExtensionPoint {
        Unknown UNKNOWN = null;

        None NONE = null;

        PeepholePermalink.Cache.PermalinkTarget get(Job<?, ?> job, String id);

        void put(Job<?, ?> job, String id, PeepholePermalink.Cache.Known known);

        interface PermalinkTarget extends Serializable {
            Run<?, ?> resolve(PeepholePermalink pp, Job<?, ?> job, String id);
        }

        interface Known extends PeepholePermalink.Cache.PermalinkTarget {}

        final class Some implements PeepholePermalink.Cache.Known {
            public Some(int number) {
                throw new UnsupportedOperationException();
            }

            public int number() {
                throw new UnsupportedOperationException();
            }

            public Run<?, ?> resolve(
                    PeepholePermalink peepholePermalink, Job<?, ?> job, String id) {
                throw new UnsupportedOperationException();
            }
        }

        final class None implements PeepholePermalink.Cache.Known {
            None() {}

            public Run<?, ?> resolve(
                    PeepholePermalink peepholePermalink, Job<?, ?> job, String id) {
                throw new UnsupportedOperationException();
            }
        }

        final class Unknown implements PeepholePermalink.Cache.PermalinkTarget {
            Unknown() {}

            public Run<?, ?> resolve(
                    PeepholePermalink peepholePermalink, Job<?, ?> job, String id) {
                throw new UnsupportedOperationException();
            }
        }
    }
}
