package hudson.init;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target({ElementType.METHOD})
public @interface Initializer {
    InitMilestone before() default InitMilestone.COMPLETED;

    InitMilestone after() default InitMilestone.STARTED;

    String displayName() default "";

    String[] requires() default {};

    String[] attains() default {};

    boolean fatal() default true;
}
