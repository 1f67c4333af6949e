package io.jenkins.plugins.ha.linkage;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Says what of Jenkins the code here reaches by its name, so that {@link LinkageCheck} can look for
 * it at boot. Each value is one of {@code type CLASS}, {@code field CLASS NAME}, {@code field CLASS
 * NAME DESCRIPTOR}, {@code method CLASS NAME DESCRIPTOR}, with the binary name of the very class
 * that declares it; other values fail the build. Members of optional plugins do not belong here.
 */
@Retention(RetentionPolicy.CLASS)
@Target({ElementType.TYPE, ElementType.FIELD, ElementType.METHOD, ElementType.CONSTRUCTOR})
public @interface UsesByReflection {
    String[] value();
}
