package io.jenkins.plugins.ha.tests.bridge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/**
 * The JVM's own checks ({@code -Xcheck:jni}) find nothing to say about the bridge. They write to
 * the output of the process, so it takes one of its own.
 */
class CheckedJvmTest {
    private static final Path LIBRARY = Path.of(System.getProperty("ha.jenkins.library"));
    private static final Path DOOR = Path.of(System.getProperty("ha.jenkins.door"));

    @Test
    void theTestsOfTheShippedLibraryDrawNoWarning() throws Exception {
        assertClean(
                run(
                        LIBRARY,
                        TestProgram.class,
                        HandlesTest.class,
                        NativesTest.class,
                        LoadingTest.class,
                        RecordsTest.class,
                        RoundTripTest.class));
    }

    @Test
    void theTestsOfTheLibraryWithADoorDrawNoWarning() throws Exception {
        String door = CheckedJvmTest.class.getPackageName() + ".door.";
        assertClean(
                run(
                        DOOR,
                        TestProgram.class,
                        Class.forName(door + "ErrorsTest"),
                        Class.forName(door + "ValuesTest"),
                        Class.forName(door + "LogTest")));
    }

    /** Jenkins' process must be able to end whatever the plugin does. */
    @Test
    void aJvmEndsThoughAMembershipIsOpen() throws Exception {
        long start = System.nanoTime();
        String output = run(LIBRARY, OpenAndLeave.class);
        assertTrue(output.contains("left open"), output);
        assertTrue(System.nanoTime() - start < 10_000_000_000L, "took more than 10 s");
    }

    /** Ends without closing what it opened. */
    public static final class OpenAndLeave {
        private OpenAndLeave() {}

        public static void main(String[] args) {
            Controllers.alone();
            System.out.println("left open");
        }
    }

    private static void assertClean(String output) {
        List<String> complaints =
                output.lines()
                        .filter(
                                line ->
                                        line.contains("in native method")
                                                || line.startsWith("WARNING: JNI "))
                        .distinct()
                        .toList();
        assertEquals(List.of(), complaints, output);
    }

    /** The output of a JVM that ended well. */
    private static String run(Path library, Class<?> main, Class<?>... tests)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("-Xcheck:jni");
        command.add("-Dha.jenkins.library=" + library);
        command.add("-cp");
        command.add(System.getProperty("java.class.path"));
        command.add(main.getName());
        for (Class<?> test : tests) {
            command.add(test.getName());
        }
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertTrue(process.waitFor(1, TimeUnit.MINUTES));
        assertEquals(0, process.exitValue(), output);
        return output;
    }
}
