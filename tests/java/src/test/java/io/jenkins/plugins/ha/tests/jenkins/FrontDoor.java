package io.jenkins.plugins.ha.tests.jenkins;

import io.jenkins.plugins.ha.stage.Controller;
import java.net.URI;

/** What stands before the controllers, and looks at {@code /ha-health/}. */
interface FrontDoor extends AutoCloseable {
    /** Where users come in. */
    URI url();

    /** Whether new requests go there. */
    boolean sendsTo(Controller controller);

    @Override
    void close();
}
