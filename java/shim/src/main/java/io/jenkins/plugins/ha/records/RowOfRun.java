package io.jenkins.plugins.ha.records;

import hudson.model.AbstractBuild;
import hudson.model.Action;
import hudson.model.Cause;
import hudson.model.ParameterValue;
import hudson.model.ParametersAction;
import hudson.model.Run;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.bridge.BuildRow;
import io.jenkins.plugins.ha.queue.ClusterItemAction;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.logging.Level;
import java.util.logging.Logger;

/** Makes the record of a build from the build itself. */
final class RowOfRun {
    static final String MASK = "****";

    private static final Logger LOGGER = Logger.getLogger(RowOfRun.class.getName());

    private RowOfRun() {}

    static BuildRow of(Run<?, ?> run, BuildRow.State state, byte[] xml, Membership membership) {
        ClusterItemAction item = run.getAction(ClusterItemAction.class);
        List<String> causes = new ArrayList<>();
        Set<String> users = new LinkedHashSet<>();
        for (Cause cause : run.getCauses()) {
            causes.add(textOf(cause));
            if (cause instanceof Cause.UserIdCause user && user.getUserId() != null) {
                users.add(user.getUserId());
            }
        }
        boolean runs = state == BuildRow.State.RUNNING;
        return BuildRow.of(
                run.getParent().getFullName(),
                run.getNumber(),
                "state",
                state,
                "queueId",
                item == null ? 0 : item.itemId(),
                "controllerId",
                item == null ? membership.identity().id() : item.controllerId(),
                "controllerName",
                item == null ? membership.identity().name() : item.controllerName(),
                "incarnation",
                membership.identity().incarnation(),
                "epoch",
                membership.link().epoch(),
                "result",
                runs || run.getResult() == null ? "" : run.getResult().toString(),
                "startedMillis",
                run.getStartTimeInMillis(),
                "durationMillis",
                runs ? 0 : run.getDuration(),
                "displayName",
                nameOf(run),
                "description",
                run.getDescription() == null ? "" : run.getDescription(),
                "keep",
                run.isKeepLog(),
                "agent",
                run instanceof AbstractBuild<?, ?> build && build.getBuiltOnStr() != null
                        ? build.getBuiltOnStr()
                        : "",
                "causes",
                causes,
                "users",
                new ArrayList<>(users),
                "parameters",
                parameters(run),
                "commits",
                new ArrayList<>(commits(run)),
                "xml",
                xml);
    }

    private static String nameOf(Run<?, ?> run) {
        String name = run.getDisplayName();
        return name == null || name.equals("#" + run.getNumber()) ? "" : name;
    }

    private static String textOf(Cause cause) {
        try {
            String text = cause.getShortDescription();
            return text == null ? cause.getClass().getSimpleName() : text;
        } catch (RuntimeException e) { // a plugin's own text
            return cause.getClass().getSimpleName();
        }
    }

    private static Map<String, String> parameters(Run<?, ?> run) {
        Map<String, String> parameters = new LinkedHashMap<>();
        for (ParametersAction action : run.getActions(ParametersAction.class)) {
            for (ParameterValue value : action.getParameters()) {
                Object plain = value.isSensitive() ? MASK : value.getValue();
                parameters.put(value.getName(), plain == null ? "" : plain.toString());
            }
        }
        return parameters;
    }

    /** The git plugin says what was built in an action of its own; we do not depend on it. */
    @SuppressWarnings("deprecation") // what is saved, not what is computed for the moment
    private static Set<String> commits(Run<?, ?> run) {
        Set<String> commits = new LinkedHashSet<>();
        for (Action action : run.getActions()) {
            if (action.getClass().getName().equals("hudson.plugins.git.util.BuildData")) {
                try {
                    Object revision =
                            action.getClass().getMethod("getLastBuiltRevision").invoke(action);
                    if (revision != null) {
                        commits.add(
                                String.valueOf(
                                        revision.getClass()
                                                .getMethod("getSha1String")
                                                .invoke(revision)));
                    }
                } catch (ReflectiveOperationException | RuntimeException e) {
                    LOGGER.log(Level.FINE, "No commit for " + run, e);
                }
            }
        }
        return commits;
    }
}
