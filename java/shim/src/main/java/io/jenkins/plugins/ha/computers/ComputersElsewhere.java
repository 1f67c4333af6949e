package io.jenkins.plugins.ha.computers;

import hudson.model.Computer;
import io.jenkins.plugins.ha.ControllerIdentity;
import io.jenkins.plugins.ha.bridge.Cluster;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.life.Watchdog;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;
import jenkins.model.IComputer;
import net.sf.json.JSONArray;
import net.sf.json.JSONObject;

/**
 * The executors and agents of the other controllers, as each says each second; none of them while
 * this controller is no member. Pages read it from memory. Thread-safe.
 */
public final class ComputersElsewhere {
    private static final Logger LOGGER = Logger.getLogger(ComputersElsewhere.class.getName());
    private static final long LOOK_MILLIS = 1000;

    /** Should Redis have lost it. */
    private static final long AGAIN_MILLIS = 10_000;

    private final Cluster cluster;
    private final ControllerIdentity identity;
    private volatile List<ComputerElsewhere> computers = List.of();
    private String told = "";
    private long toldAt;

    public ComputersElsewhere(Cluster cluster, ControllerIdentity identity) {
        this.cluster = cluster;
        this.identity = identity;
    }

    /** From now on all hear of this controller's, and it of theirs. */
    public void start(Watchdog watchdog) {
        watchdog.every("ha-jenkins-computers", LOOK_MILLIS, this::exchange);
    }

    private void exchange() {
        try {
            String text = ComputersHere.text(identity);
            long millis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - toldAt);
            if (!text.equals(told) || millis > AGAIN_MILLIS) {
                cluster.tellComputers(text);
                told = text;
                toldAt = System.nanoTime();
            }
            List<ComputerElsewhere> heard = new ArrayList<>();
            for (Map.Entry<String, String> one : cluster.computers().entrySet()) {
                if (!one.getKey().equals(identity.id())) {
                    heard.addAll(read(one.getKey(), one.getValue()));
                }
            }
            computers = heard;
        } catch (HaException.Closed e) {
            throw e;
        } catch (HaException e) {
            computers = List.of();
            told = "";
            LOGGER.log(Level.FINE, "Executors of others are not known: {0}", e.getMessage());
        }
    }

    private static List<ComputerElsewhere> read(String controllerId, String text) {
        List<ComputerElsewhere> result = new ArrayList<>();
        try {
            JSONObject all = JSONObject.fromObject(text);
            JSONArray computers = all.getJSONArray("computers");
            for (int i = 0; i < computers.size(); i++) {
                result.add(
                        new ComputerElsewhere(
                                controllerId,
                                all.getString("controller"),
                                computers.getJSONObject(i)));
            }
        } catch (RuntimeException e) {
            LOGGER.log(Level.FINE, "Of another version: " + controllerId, e);
        }
        return result;
    }

    /**
     * The cluster's computers where a page would show this controller's: agents that work for
     * another controller as they are there, and what this controller does not have behind them.
     *
     * @param here this controller's
     * @param alsoOthers whether what this controller does not have at all is among them
     */
    List<IComputer> with(Iterable<Computer> here, boolean alsoOthers) {
        List<ComputerElsewhere> all = new ArrayList<>(computers);
        all.sort(Comparator.comparing(ComputerElsewhere::getName));
        List<IComputer> result = new ArrayList<>();
        Set<String> shown = new HashSet<>();
        for (Computer computer : here) {
            ComputerElsewhere there = null;
            for (ComputerElsewhere one : all) {
                if (!one.isBuiltIn()
                        && computer.isOffline()
                        && one.getName().equals(computer.getName())) {
                    there = one;
                }
            }
            shown.add(computer.getName());
            result.add(there == null ? (IComputer) computer : there);
        }
        for (ComputerElsewhere one : all) {
            if (alsoOthers && (one.isBuiltIn() ? one.isShown() : shown.add(one.getName()))) {
                result.add(one);
            }
        }
        return result;
    }
}
