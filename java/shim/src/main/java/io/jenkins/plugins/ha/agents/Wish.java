package io.jenkins.plugins.ha.agents;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/**
 * What a controller says of an item that only agents of another controller could run.
 *
 * @param item its id
 * @param unclaimed whether it is in the cluster's queue, where the other controller could take it
 *     itself; else it is in the own queue of who wishes
 * @param since from when on it waits, ms since 1970
 * @param agents which of that controller's agents could run it
 */
record Wish(long item, boolean unclaimed, long since, List<String> agents) {
    /** All of them, a line each; no name of an agent has a tab or a line break. */
    static String toText(Collection<Wish> wishes) {
        StringBuilder text = new StringBuilder();
        for (Wish wish : wishes) {
            text.append(wish.item).append('\t').append(wish.unclaimed ? 'u' : 'h');
            text.append('\t').append(wish.since);
            wish.agents.forEach(agent -> text.append('\t').append(agent));
            text.append('\n');
        }
        return text.toString();
    }

    /**
     * As {@link #toText} wrote it.
     *
     * @throws IllegalArgumentException where it is none
     */
    static List<Wish> ofText(String text) {
        List<Wish> wishes = new ArrayList<>();
        for (String line : text.lines().toList()) {
            List<String> parts = List.of(line.split("\t"));
            if (parts.size() < 4) {
                throw new IllegalArgumentException("no wish for an agent: " + line);
            }
            wishes.add(
                    new Wish(
                            Long.parseLong(parts.get(0)),
                            parts.get(1).equals("u"),
                            Long.parseLong(parts.get(2)),
                            parts.subList(3, parts.size())));
        }
        return wishes;
    }
}
