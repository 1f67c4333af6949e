package io.jenkins.plugins.ha.doctor;

import io.jenkins.plugins.ha.Membership;
import java.util.List;

/** Looks at one thing of this controller. May take a second; never holds a lock of Jenkins. */
@FunctionalInterface
interface Check {
    /** What is wrong; empty when nothing is. */
    List<Finding> look(Membership membership);
}
