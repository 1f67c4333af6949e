package io.jenkins.plugins.ha.standin;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** What travels with a queue item: who asked for what. */
record Trigger(Map<String, String> parameters, List<String> causes) {
    private static final ObjectMapper JSON = new ObjectMapper();

    static Trigger from(byte[] payload) throws IOException {
        return JSON.readValue(payload, Trigger.class);
    }

    byte[] payload() {
        try {
            return JSON.writeValueAsBytes(this);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Whether handlers let only one like it wait for its job. */
    boolean isOnlyOnce() {
        return "once".equals(parameters.get("H"));
    }

    /** Both in one build, as Jenkins folds a trigger into one that waits. */
    Trigger with(Trigger later) {
        return new Trigger(
                parameters, Stream.concat(causes.stream(), later.causes().stream()).toList());
    }
}
