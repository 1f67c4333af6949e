package hudson.scm;

import hudson.model.Descriptor;

@SuppressWarnings("rawtypes")
public abstract class SCMDescriptor<T extends SCM> extends Descriptor<SCM> {
    protected SCMDescriptor(Class<T> clazz, Class<? extends RepositoryBrowser> repositoryBrowser) {
        throw new UnsupportedOperationException();
    }
}
