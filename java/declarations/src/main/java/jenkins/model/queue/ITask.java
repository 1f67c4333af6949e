package jenkins.model.queue;

import jenkins.model.FullyNamedModelObject;

public interface ITask extends FullyNamedModelObject {
    default boolean hasAbortPermission() {
        throw new UnsupportedOperationException();
    }

    default boolean hasReadPermission() {
        throw new UnsupportedOperationException();
    }

    @Override
    default String getFullDisplayName() {
        throw new UnsupportedOperationException();
    }

    String getUrl();
}
