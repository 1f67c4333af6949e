package hudson.security;

public interface AccessControlled {
    ACL getACL();
}
