package io.jenkins.plugins.ha.doctor;

import hudson.PluginWrapper;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.doctor.Finding.Severity;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import jenkins.model.Jenkins;

/** Active plugins that are known to keep state or timers for each controller alone. */
final class PluginsCheck implements Check {
    /** A plugin's short name, what it keeps, and what to do, with {@code |} between. */
    private static final String LIST = "plugins.txt";

    @Override
    public List<Finding> look(Membership membership) {
        List<Finding> found = new ArrayList<>();
        for (String line : lines()) {
            String[] parts = line.split("\\|", 3);
            PluginWrapper plugin = Jenkins.get().getPluginManager().getPlugin(parts[0].trim());
            if (plugin != null && plugin.isActive()) {
                found.add(
                        new Finding(
                                Severity.NOTE,
                                "plugin-" + parts[0].trim(),
                                "",
                                plugin.getDisplayName() + ": " + parts[1].trim(),
                                parts[2].trim(),
                                ""));
            }
        }
        return found;
    }

    private static List<String> lines() {
        try (var in = PluginsCheck.class.getResourceAsStream(LIST);
                var reader =
                        new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))) {
            return reader.lines().filter(l -> !l.isBlank() && !l.startsWith("#")).toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
