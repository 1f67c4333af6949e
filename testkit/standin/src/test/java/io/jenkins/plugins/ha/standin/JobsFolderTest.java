package io.jenkins.plugins.ha.standin;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JobsFolderTest {
    @TempDir Path root;
    private JobsFolder jobs;
    private BuildRecord build;

    @BeforeEach
    void begin() throws IOException {
        Files.createDirectories(root.resolve("job").resolve("builds"));
        jobs = new JobsFolder(root);
        build = new BuildRecord("job", 1, 7, "a", Map.of(), List.of(), 1, 0, null, false);
        jobs.begin(build);
    }

    @Test
    void ofAllWhoCloseABuildOneHasTheLastWord() throws IOException {
        assertNull(jobs.read("job", 1).orElseThrow().result());
        AtomicInteger won = new AtomicInteger();
        IntStream.range(0, 32)
                .parallel()
                .forEach(
                        i -> {
                            try {
                                if (jobs.close(build.ended("R" + i))) {
                                    won.set(100 + i);
                                }
                            } catch (IOException e) {
                                throw new java.io.UncheckedIOException(e);
                            }
                        });
        assertEquals("R" + (won.get() - 100), jobs.read("job", 1).orElseThrow().result());
        assertFalse(jobs.close(build.ended("LATE")));
    }

    @Test
    void aDeletedBuildIsGoneWithItsEnd() throws IOException {
        assertTrue(jobs.close(build.ended("SUCCESS")));
        jobs.delete("job", 1);
        assertTrue(jobs.read("job", 1).isEmpty());
        assertEquals(1, jobs.highestNumber("job"));
    }
}
