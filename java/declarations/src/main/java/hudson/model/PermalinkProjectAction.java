package hudson.model;

public interface PermalinkProjectAction extends Action {
    abstract class Permalink {
        public Permalink() {
            throw new UnsupportedOperationException();
        }

        public abstract String getId();

        public abstract Run<?, ?> resolve(Job<?, ?> job);
    }
}
