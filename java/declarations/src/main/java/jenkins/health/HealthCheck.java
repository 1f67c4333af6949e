package jenkins.health;

import hudson.ExtensionPoint;

public interface HealthCheck extends ExtensionPoint {
    boolean check();
}
