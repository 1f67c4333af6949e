package io.jenkins.plugins.ha.tests.bridge;

import java.io.PrintWriter;
import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;

/** Runs the test classes named by its arguments; ends with 1 if one of them fails. */
public final class TestProgram {
    private TestProgram() {}

    public static void main(String[] classes) {
        LauncherDiscoveryRequestBuilder request = LauncherDiscoveryRequestBuilder.request();
        for (String name : classes) {
            request.selectors(DiscoverySelectors.selectClass(name));
        }
        SummaryGeneratingListener listener = new SummaryGeneratingListener();
        LauncherFactory.create().execute(request.build(), listener);
        listener.getSummary().printFailuresTo(new PrintWriter(System.out, true), 50);
        long failures = listener.getSummary().getTotalFailureCount();
        long run = listener.getSummary().getTestsSucceededCount();
        System.out.println(run + " succeeded, " + failures + " failed");
        System.exit(failures == 0 && run > 0 ? 0 : 1);
    }
}
