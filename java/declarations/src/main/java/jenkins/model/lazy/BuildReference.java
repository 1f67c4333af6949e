package jenkins.model.lazy;

import hudson.ExtensionPoint;

public final class BuildReference<R> {
    BuildReference() {}

    public interface Holder<R> {
        R get();
    }

    public interface HolderFactory extends ExtensionPoint {
        <R> BuildReference.Holder<R> make(R value);
    }
}
