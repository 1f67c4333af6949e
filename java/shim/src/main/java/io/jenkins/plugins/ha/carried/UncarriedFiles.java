package io.jenkins.plugins.ha.carried;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.regex.Pattern;
import jenkins.model.Jenkins;

/**
 * The settings at the top of the home that nobody carries, so that it can be told where they
 * differ: names and digests by a key of the cluster, never what is in them.
 */
public final class UncarriedFiles {
    private static final Logger LOGGER = Logger.getLogger(UncarriedFiles.class.getName());
    private static final int MOST_FILES = 100;
    private static final long MOST_BYTES = 1 << 20;
    private static final int DIGITS = 8;
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_.$-]+");

    /** Which plugin wrote an element: a difference of its own. */
    private static final Pattern WRITTEN_BY = Pattern.compile(" plugin=\"[^\"]*\"");

    private final CarriedList list;
    private final Digest digest;
    private final Path home = Jenkins.get().getRootDir().toPath();

    UncarriedFiles(CarriedList list, Digest digest) {
        this.list = list;
        this.digest = digest;
    }

    /** Digests by name, of the first hundred. */
    public Map<String, String> digests() {
        Map<String, String> digests = new TreeMap<>();
        try {
            for (String name : list.uncarried()) {
                Path file = home.resolve(name);
                if (digests.size() < MOST_FILES
                        && NAME.matcher(name).matches()
                        && Files.size(file) <= MOST_BYTES) {
                    String text = Files.readString(file, StandardCharsets.UTF_8);
                    String plain = WRITTEN_BY.matcher(text).replaceAll("");
                    digests.put(name, digest.of(plain).substring(0, DIGITS));
                }
            }
        } catch (IOException e) { // one that is just being written; it is looked at again
            LOGGER.log(Level.FINE, "Not all settings could be read", e);
        }
        return digests;
    }
}
