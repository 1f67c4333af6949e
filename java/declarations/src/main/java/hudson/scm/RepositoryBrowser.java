package hudson.scm;

public abstract class RepositoryBrowser<E> {
    RepositoryBrowser() {}
}
