package hudson.security;

import hudson.security.captcha.CaptchaSupport;

public class HudsonPrivateSecurityRealm extends AbstractPasswordBasedSecurityRealm {
    public HudsonPrivateSecurityRealm(
            boolean allowsSignup, boolean enableCaptcha, CaptchaSupport captchaSupport) {}
}
