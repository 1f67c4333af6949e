package io.jenkins.plugins.ha.clouds;

import hudson.slaves.Cloud;
import io.jenkins.plugins.ha.settings.HaConfiguration;
import java.lang.reflect.Method;
import java.util.HashMap;
import java.util.Map;

/**
 * What the settings say of clouds, a line each: {@code name = cap}, where the cap is a number, or
 * {@code as core} for a cloud that core's own clock is to ask, or both with a comma between them.
 *
 * @param rules by the cloud's name
 */
public record CloudRules(Map<String, Rule> rules) {
    private static final String AS_CORE = "as core";

    /** What public methods of clouds are called that say how many agents there may be. */
    private static final String[] CAPS = {"getInstanceCap", "getContainerCap"};

    /**
     * @param cap how many agents the cluster may have of it; 0 where the line says nothing
     * @param asCore whether it is asked as core does
     */
    record Rule(int cap, boolean asCore) {}

    /**
     * @throws IllegalArgumentException with a sentence for the admin
     */
    public static CloudRules parse(String text) {
        Map<String, Rule> rules = new HashMap<>();
        for (String line : text.lines().map(String::strip).toList()) {
            if (line.isEmpty()) {
                continue;
            }
            int equals = line.lastIndexOf('=');
            String name = line.substring(0, Math.max(0, equals)).strip();
            int cap = 0;
            boolean asCore = false;
            for (String word : line.substring(equals + 1).split(",")) {
                word = word.strip();
                if (word.equals(AS_CORE)) {
                    asCore = true;
                } else if (word.matches("[1-9]\\d{0,5}")) {
                    cap = Integer.parseInt(word);
                } else {
                    name = "";
                }
            }
            if (name.isEmpty()) {
                throw new IllegalArgumentException(
                        "A line about a cloud is 'NAME = 20', 'NAME = as core' or 'NAME = 20, as"
                                + " core', where 20 is how many agents the cluster may have of it;"
                                + " this one is not: "
                                + line);
            }
            rules.put(name, new Rule(cap, asCore));
        }
        return new CloudRules(rules);
    }

    /** As the settings are now; none while they cannot be read. */
    static CloudRules now() {
        HaConfiguration settings = HaConfiguration.get();
        try {
            return parse(settings == null ? "" : settings.getCloudRules());
        } catch (IllegalArgumentException e) { // was refused when it was to be saved
            return new CloudRules(Map.of());
        }
    }

    /** Whether this cloud is asked as soon as an item needs an agent of it. */
    boolean atOnce(Cloud cloud) {
        HaConfiguration settings = HaConfiguration.get();
        Rule rule = rules.get(cloud.name);
        return settings != null && settings.isAskCloudsAtOnce() && (rule == null || !rule.asCore);
    }

    /**
     * How many agents the cluster may have of it: what the line says, else what the cloud itself
     * says; 0 for no limit.
     */
    int cap(Cloud cloud) {
        Rule rule = rules.get(cloud.name);
        if (rule != null && rule.cap > 0) {
            return rule.cap;
        }
        for (String name : CAPS) {
            try {
                Method method = cloud.getClass().getMethod(name);
                if (method.getReturnType() == int.class) {
                    int cap = (int) method.invoke(cloud);
                    return cap <= 0 || cap == Integer.MAX_VALUE ? 0 : cap;
                }
            } catch (ReflectiveOperationException | RuntimeException e) {
                continue; // it has none of this name
            }
        }
        return 0;
    }
}
