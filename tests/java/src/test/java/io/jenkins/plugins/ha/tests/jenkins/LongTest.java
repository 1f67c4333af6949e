package io.jenkins.plugins.ha.tests.jenkins;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;

/**
 * Takes minutes: {@code make chaos-jenkins}, {@code chaos-agents} or {@code upgrade} runs it,
 * {@code make test} does not.
 */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.TYPE)
@EnabledIfEnvironmentVariable(
        named = "HA_JENKINS_LONG_TESTS",
        matches = "1",
        disabledReason =
                "takes minutes: make chaos-jenkins, pipeline-kills, chaos-agents or upgrade")
@interface LongTest {}
