package io.jenkins.plugins.ha.chaos;

import com.fasterxml.jackson.databind.JsonNode;
import io.jenkins.plugins.ha.chaos.Verdict.Violation;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Follows the queue's own account of what it did, change by change, and holds each against what an
 * item may do.
 *
 * <p>When an item is claimed, no other may be claimable that stands before it; in the job of a
 * non-concurrent item no other may be due that stands before it, and none may be claimed, starting,
 * running or orphaned. An item's place is the sequence number with which it was stored, whatever
 * happens to it later.
 *
 * <p>A membership is dead from the first change that shows it: an item of it is orphaned or handed
 * back for its controller's death, or its controller claims under a newer epoch. Under a dead
 * membership nothing is claimed, numbered, started or ended.
 */
final class QueueReplay {
    /**
     * A change is stamped after the moment the script took for now: a little, unless the machine
     * has other things to do.
     */
    private static final long STAMP_MILLIS = 250;

    /** As the stand-ins have it. */
    private static final int MOST_DEATHS = 3;

    private static final Set<String> MOVES =
            Set.of(
                    "QQ", "QC", "QX", "QU", "CC", "CS", "CQ", "CX", "CU", "SS", "RR", "SR", "SO",
                    "SQ", "SD", "SX", "SU", "RD", "RO", "OO", "OQ", "OD", "OR", "OU", "OX", "UX");
    private static final String AGAIN = "Runs again";
    private static final String VETOED = "Vetoed by ";
    private static final String BY_DEATH = "Its controller ";

    private final Map<Long, Course> courses = new LinkedHashMap<>();

    /** By the id of an item that builds again what another was: that other. */
    private final Map<Long, Course> again = new HashMap<>();

    private final Map<Long, Course> queued = new TreeMap<>();
    private final Map<String, Course> holders = new HashMap<>();
    private final Map<String, Integer> numbers;

    /** By item, the id of the controller that vetoes it, as its trigger says. */
    private final Map<Long, String> vetoedOn;

    private final Map<String, Long> newestEpoch = new HashMap<>();
    private final Set<String> dead = new HashSet<>();
    private final List<long[]> redisPauses = new ArrayList<>();
    private final List<Violation> violations;
    private long last;
    private long handedBackByDeath;

    /** The way of one item through the queue, so far. */
    static final class Course {
        final long id;
        final String job;
        final boolean concurrent;
        final long enqueued;

        /** Its place; that of the item whose build it runs again. */
        final long sequence;

        /** It runs the build of another again, whose place it has. */
        final boolean rerun;

        /** The item whose trigger it goes back to: itself, unless it is a re-run. */
        final long origin;

        final long priority;
        final String claimants;

        /** Its build stays on the controller that accepted it, and ends with it. */
        final boolean stays;

        String state = "";
        long version;
        int number;
        String result = "";
        String why = "";
        String owner = "";
        boolean blocked;
        long due;
        long queuedAt;
        long ended;

        /** The item that runs its build again; null for none. */
        Course successor;

        /** How often controllers died in a row with it. */
        int deaths;

        /** Who alone may say how its build ended: controller:epoch. */
        String mayEnd = "";

        /** All numbers it was given. */
        final Set<Integer> numbers = new HashSet<>();

        /** By number, when the queue let the build run. */
        final Map<Integer, Long> running = new HashMap<>();

        /** By number, when its controller was declared dead while it was starting or running. */
        final Map<Integer, Long> orphaned = new HashMap<>();

        /** By membership, all that happened to it: state and time. */
        final List<Step> steps = new ArrayList<>();

        Course(JsonNode event, Course before) {
            id = event.path("id").asLong();
            job = event.path("job").asText();
            concurrent = event.path("concurrent").asText().equals("1");
            enqueued = event.path("enqueued").asLong();
            sequence = before == null ? event.path("jobrev").asLong() : before.sequence;
            rerun = before != null;
            origin = before == null ? id : before.origin;
            priority = event.path("priority").asLong();
            claimants = event.path("pinned").asText() + ":" + event.path("lane").asText();
            stays = event.path("lane").asText().equals("l:");
        }

        /** All builds it ever was. */
        List<String> builds() {
            return numbers.stream().map(number -> job + "#" + number).toList();
        }

        /** The last of those that ran its build again, or itself. */
        Course last() {
            Course last = this;
            while (last.successor != null) {
                last = last.successor;
            }
            return last;
        }

        /** The build that stands in its outcome. */
        String build() {
            return job + "#" + number;
        }

        boolean before(Course other) {
            return priority != other.priority
                    ? priority < other.priority
                    : sequence < other.sequence;
        }

        @Override
        public String toString() {
            return "item %d (%s%s, %s)".formatted(id, job, number > 0 ? " #" + number : "", state);
        }
    }

    /** One change. */
    record Step(long at, String state, String owner) {}

    QueueReplay(
            List<JsonNode> faults,
            Map<String, Integer> floors,
            Map<Long, String> vetoedOn,
            List<Violation> violations) {
        this.numbers = new HashMap<>(floors);
        this.vetoedOn = vetoedOn;
        this.violations = violations;
        long paused = 0;
        for (JsonNode fault : faults) {
            if (fault.path("fault").asText().startsWith("redis")) {
                if (fault.path("phase").asText().equals("begin")) {
                    paused = fault.path("at").asLong();
                } else {
                    redisPauses.add(
                            new long[] {paused, fault.path("at").asLong() + 2 * STAMP_MILLIS});
                }
            }
        }
    }

    Collection<Course> courses() {
        return courses.values();
    }

    /** Null when it was never told of. */
    Course course(long id) {
        return courses.get(id);
    }

    /** Items that were to run again, and never came. */
    List<Course> missing() {
        return again.values().stream().filter(course -> course.successor == null).toList();
    }

    /** How many claimed items went back because their controller died. */
    long handedBackByDeath() {
        return handedBackByDeath;
    }

    /** The next line of the stream. */
    void event(JsonNode event) {
        long n = event.path("n").asLong();
        if (n != last + 1) {
            fail(Rule.LIFE, "change %d follows %d: changes were lost".formatted(n, last));
        }
        last = n;
        if (!event.has("id")) {
            return;
        }
        Course course = courses.get(event.path("id").asLong());
        String state = event.path("state").asText();
        long version = event.path("version").asLong();
        long at = event.path("at").asLong();
        if (course == null) {
            Course before = again.get(event.path("id").asLong());
            course = new Course(event, before);
            courses.put(course.id, course);
            if (before != null) {
                before.successor = course;
            } else if (event.path("why").asText().startsWith(AGAIN)) {
                fail(Rule.DOUBLED, course + " runs again what no item names");
            }
            if (!state.equals("Q") || version != 1) {
                fail(Rule.LIFE, "%s begins as %s".formatted(course, state));
            }
        } else {
            if (version != course.version + 1) {
                fail(
                        Rule.LIFE,
                        "%s: version %d follows %d".formatted(course, version, course.version));
            }
            move(course, event, state, at);
        }
        remember(course, event, state, at);
    }

    private void move(Course course, JsonNode event, String state, long at) {
        String owner = owner(event);
        String move = course.state + state;
        if (course.state.equals("D") || course.state.equals("X")) {
            fail(
                    Rule.STALE,
                    "%s had ended, but was made %s, result %s after %s"
                            .formatted(
                                    course, state, event.path("result").asText(), course.result));
            return;
        }
        if (!MOVES.contains(move)) {
            fail(Rule.LIFE, "%s became %s".formatted(course, state));
        }
        switch (move) {
            case "QC" -> claimed(course, owner, at);
            case "CS" -> numbered(course, event, owner);
            case "SS" -> {
                // The number it had turned out to be used already.
                if (event.path("number").asInt() != course.number) {
                    numbered(course, event, owner);
                }
            }
            case "CQ" -> {
                if (event.path("why").asText().startsWith(BY_DEATH)) {
                    dead.add(course.owner);
                    handedBackByDeath++;
                }
            }
            case "SO", "RO" -> {
                dead.add(course.owner);
                course.orphaned.put(course.number, at);
            }
            case "OD" -> runsAgain(course, event);
            case "OR" -> takenBack(course, owner);
            default -> {}
        }
        if (event.path("again").asLong() != 0 && !move.equals("OD")) {
            fail(Rule.DOUBLED, "%s runs again, though nobody died with it".formatted(course));
        }
        if (Set.of("CC", "SR", "CX", "CU", "SU", "SX", "SD", "RD").contains(move)) {
            // what was to be cancelled and is handed back ends in nobody's hands
            boolean handedBack = state.equals("X") && event.path("owner").asText().isEmpty();
            if (!owner.equals(course.owner) && !state.equals("U") && !handedBack) {
                fail(
                        Rule.STALE,
                        "%s went from %s to %s without a claim"
                                .formatted(course, course.owner, owner));
            }
        }
        if (Set.of("SR", "SD", "RD").contains(move) && dead.contains(course.owner)) {
            fail(
                    Rule.STALE,
                    "%s became %s under %s, which was dead".formatted(course, state, course.owner));
        }
    }

    private void runsAgain(Course course, JsonNode event) {
        long id = event.path("again").asLong();
        if (id == 0) {
            return;
        }
        if (courses.containsKey(id) || again.put(id, course) != null) {
            fail(Rule.DOUBLED, "%s runs again as %d, which is another item".formatted(course, id));
        }
        if (!event.path("result").asText().equals("ABORTED")) {
            fail(Rule.DOUBLED, "%s came to its own end, and runs again".formatted(course));
        }
        if (event.path("deaths").asInt() > MOST_DEATHS) {
            fail(Rule.LIFE, course + " runs again for ever");
        }
    }

    /** Its controller had been held dead, and nobody has decided on it meanwhile. */
    private void takenBack(Course course, String owner) {
        String controller = owner.substring(0, owner.indexOf(':') + 1);
        if (!course.owner.startsWith(controller) || !course.mayEnd.equals(owner)) {
            fail(
                    Rule.STALE,
                    "%s of %s was for %s to decide on, but %s took it back"
                            .formatted(course, course.owner, course.mayEnd, owner));
        }
        course.orphaned.remove(course.number);
    }

    private void claimed(Course course, String owner, long at) {
        String controller = owner.substring(0, owner.indexOf(':'));
        long epoch = Long.parseLong(owner.substring(owner.indexOf(':') + 1));
        long newest = newestEpoch.merge(controller, epoch, Math::max);
        if (epoch < newest || dead.contains(owner)) {
            fail(Rule.STALE, "%s was claimed by %s, which was dead".formatted(course, owner));
        }
        Course holder = holders.get(course.job);
        if (!course.concurrent && holder != null && holder != course) {
            fail(Rule.OVERLAP, "%s was claimed while %s was held".formatted(course, holder));
        }
        for (Course other : queued.values()) {
            if (other != course
                    && !leaves(controller, other)
                    && other.before(course)
                    && due(other, at)
                    && (course.concurrent || !other.job.equals(course.job)
                            ? !other.blocked && other.claimants.equals(course.claimants)
                            : true)) {
                fail(Rule.ORDER, "%s was claimed past %s".formatted(course, other));
            }
        }
    }

    /**
     * Whether the controller vetoes it, and so leaves it to the others for a while. What the item
     * says of itself is not enough: another may have claimed it and handed it back since, for
     * another reason. Of a trigger without an answer it is all that is known.
     */
    private boolean leaves(String controller, Course course) {
        return controller.equals(vetoedOn.get(course.origin))
                || course.why.equals(VETOED + controller);
    }

    /** Whether it was due for sure. */
    private boolean due(Course course, long at) {
        if (course.due <= course.queuedAt) {
            return true;
        }
        return course.due + STAMP_MILLIS < at
                && redisPauses.stream().noneMatch(p -> p[0] <= at && p[1] >= course.due);
    }

    private void numbered(Course course, JsonNode event, String owner) {
        int number = event.path("number").asInt();
        Integer highest = numbers.get(course.job);
        if (highest != null && number <= highest) {
            fail(
                    Rule.NUMBER,
                    "%s is given #%d after #%d was used".formatted(course, number, highest));
        }
        numbers.merge(course.job, number, Math::max);
        if (dead.contains(owner)) {
            fail(Rule.STALE, "%s was numbered by %s, which was dead".formatted(course, owner));
        }
        if (!owner.equals(course.owner)) {
            fail(
                    Rule.STALE,
                    "%s is held by %s, but %s numbers it".formatted(course, course.owner, owner));
        }
        course.numbers.add(number);
    }

    private void remember(Course course, JsonNode event, String state, long at) {
        course.version = event.path("version").asLong();
        course.number = event.path("number").asInt();
        course.result = event.path("result").asText();
        course.deaths = event.path("deaths").asInt();
        course.why = event.path("why").asText();
        course.blocked = event.path("blocked").asText().equals("1");
        course.due = event.path("due").asLong();
        course.owner = owner(event);
        switch (state) {
            case "S", "R" -> course.mayEnd = course.owner;
            case "O" -> course.mayEnd = event.path("reaper").asText();
            default -> {}
        }
        if (state.equals("R")) {
            course.running.putIfAbsent(course.number, at);
        }
        if (state.equals("Q")) {
            queued.put(course.id, course);
            course.queuedAt = at;
        } else {
            queued.remove(course.id);
        }
        if (!course.concurrent) {
            if (Set.of("C", "S", "R", "O").contains(state)) {
                holders.put(course.job, course);
            } else {
                holders.remove(course.job, course);
            }
        }
        if (state.equals("D") || state.equals("X")) {
            course.ended = at;
        }
        course.state = state;
        course.steps.add(new Step(at, state, course.owner));
    }

    private static String owner(JsonNode event) {
        return event.path("owner").asText() + ":" + event.path("epoch").asText();
    }

    private void fail(Rule rule, String text) {
        violations.add(new Violation(rule, text));
    }
}
