package hudson.security.captcha;

public abstract class CaptchaSupport {
    CaptchaSupport() {}
}
