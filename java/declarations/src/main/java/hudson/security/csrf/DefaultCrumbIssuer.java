package hudson.security.csrf;

public class DefaultCrumbIssuer extends CrumbIssuer {
    DefaultCrumbIssuer() {}
}
