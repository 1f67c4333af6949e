package jenkins.security.seed;

import hudson.model.UserProperty;

public class UserSeedProperty extends UserProperty {
    public static boolean DISABLE_USER_SEED;

    UserSeedProperty() {}

    public String getSeed() {
        throw new UnsupportedOperationException();
    }
}
