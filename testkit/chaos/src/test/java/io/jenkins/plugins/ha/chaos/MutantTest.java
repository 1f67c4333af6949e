package io.jenkins.plugins.ha.chaos;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jenkins.plugins.ha.stage.Checkout;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The defects fit the scripts that are shipped. */
class MutantTest {
    @ParameterizedTest
    @EnumSource
    void eachPlaceOfADefectIsInExactlyOneScript(Mutant mutant) throws IOException {
        for (String place : mutant.places()) {
            try (Stream<Path> scripts = Files.list(Checkout.root().resolve("src/lua"))) {
                List<Path> found = scripts.filter(s -> read(s).contains(place)).toList();
                assertEquals(1, found.size(), () -> place + " is in " + found);
            }
        }
    }

    @Test
    void aScriptIsCalledByTheNameItHasInRedis() {
        byte[] load = "SCRIPT".getBytes(StandardCharsets.US_ASCII);
        byte[] code = "if repeated and last == claim then".getBytes(StandardCharsets.US_ASCII);
        Mutant mutant = Mutant.LOST_CLAIM_IS_NOT_REPEATED;
        List<byte[]> sent = mutant.sow(List.of(load, "LOAD".getBytes(), code));
        assertEquals("if false then", new String(sent.get(2), StandardCharsets.US_ASCII));
        byte[] name = "33ebd6be".getBytes(StandardCharsets.US_ASCII);
        List<byte[]> other = List.of("EVALSHA".getBytes(), name);
        assertEquals(other, mutant.sow(other));
        assertTrue(mutant.sown());
        assertNotEquals(code, sent.get(2));
    }

    @Test
    void aDefectIsSownIntoScriptsAsTheLibrarySendsThem() {
        String sent = "v[22] = 1\nreturn {'ASKED', v[13]}\nOWNER";
        assertEquals(
                "v[22] = 1\nreturn {'CANCELLED'}\nOWNER",
                Mutant.CANCEL_OF_CLAIMED_IS_FORGOTTEN.apply(sent));
        assertEquals("v[2] == 'OWNER' 13", ScriptNames.asSent("v[STATE] == 'OWNER' OWNER"));
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}
