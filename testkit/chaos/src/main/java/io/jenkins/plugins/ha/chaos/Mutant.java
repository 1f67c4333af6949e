package io.jenkins.plugins.ha.chaos;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A defect that is sown on purpose, to see that the checker finds it. Most are sown into the
 * queue's scripts on their way to Redis: the library is the one that is shipped, it sends its
 * script, and the line to Redis carries another one. Those without such a patch are the stand-ins'
 * own, by the same name.
 */
enum Mutant {
    FINISH_IS_NOT_FENCED(
            List.of("pause", "stall"),
            """
            local mine = holds(v, controller, epoch, ARGV[4])
            if v[STATE] == 'D' and (mine or v[LAST] == me) then return {'OK'} end
            if not member(controller, epoch) then return {'FENCED'} end
            """,
            "local mine = true\n",
            """
            elseif not mine or v[STATE] == 'O' then
              return {'FENCED'}
            elseif v[STATE] == 'S' or v[STATE] == 'R' then
            """,
            "elseif v[STATE] ~= 'Q' then\n"),
    EPOCHS_ARE_IGNORED(
            List.of("pause", "stall"),
            "return redis.call('ZSCORE', P .. 'members', controller .. ':' .. epoch)",
            "return redis.call('HGET', P .. 'member:' .. controller, 'epoch')",
            "return v[OWNER] == controller and v[EPOCH] == epoch and (attempt == '0' or v[ATTEMPTS]"
                    + " == attempt)",
            "return v[OWNER] == controller",
            "if v[STATE] == 'D' and (mine or v[LAST] == me) then return {'OK'} end\n",
            "",
            """
            elseif not mine or v[STATE] == 'O' then
              return {'FENCED'}
            elseif v[STATE] == 'S' or v[STATE] == 'R' then
            """,
            "elseif not mine then\n  return {'FENCED'}\nelseif v[STATE] ~= 'Q' then\n"),
    CLAIM_LEAVES_IT_READY(
            List.of(),
            "redis.call('ZREM', head[3], id)\n",
            "\n",
            "if not v or v[STATE] ~= 'Q' then return end\n  most",
            "if not v then return end\n  most"),
    NUMBER_ONLY_FROM_DISK(
            List.of(),
            "math.max(tonumber(redis.call('GET', key) or 0), tonumber(ARGV[6]))",
            "tonumber(ARGV[6])"),
    NUMBER_ONLY_FROM_REDIS(
            List.of(),
            "math.max(tonumber(redis.call('GET', key) or 0), tonumber(ARGV[6]))",
            "tonumber(redis.call('GET', key) or 0)"),
    DEATH_DROPS_WHAT_WAS_CLAIMED(List.of("kill"), "back(id, v, 0, why, who)\n", "\n"),
    DEATH_RUNS_AGAIN_WHAT_RAN(
            List.of("kill", "pause"),
            "if v[STATE] == 'C' then\n        back",
            "if true then\n        back"),
    RETURN_LOSES_THE_PLACE(
            List.of("kill", "stop"),
            "due, blocked = int(redis.call('INCR', P .. 'seq')), v[DUE], '0'\n",
            "due, blocked = int(redis.call('INCR', P .. 'seq')), v[DUE], '0'\n"
                    + "  v[SCORE] = int(v[PRIORITY] * 4398046511104 + rev)\n"),
    CANCEL_OF_CLAIMED_IS_FORGOTTEN(
            List.of(),
            "if v[CANCEL] == '' then\n    save(id, v, CANCEL",
            "if false then\n    save(id, v, CANCEL",
            "return {'ASKED', v[OWNER]}",
            "return {'CANCELLED'}"),
    SLOT_IS_FREE_ONCE_CLAIMED(
            List.of(),
            "ATTEMPTS, int(v[ATTEMPTS] + 1))\n  event(id, v)\n",
            "ATTEMPTS, int(v[ATTEMPTS] + 1))\n"
                    + "  event(id, v)\n"
                    + "  redis.call('DEL', P .. 'slot:' .. v[JOB])\n"),
    LOCAL_BUILD_TAKES_NO_SLOT(
            List.of(),
            "if v[CONCURRENT] == '1' then\n    make_ready(id, v)",
            "if v[CONCURRENT] == '1' or v[LANE] == 'l:' then\n    make_ready(id, v)"),
    LOCAL_BUILD_IS_ANYBODYS(
            List.of(),
            "return P .. 'ready:' .. v[PINNED] .. ':' .. v[LANE]",
            "return P .. 'ready::' .. v[LANE]"),
    LOST_CLAIM_IS_NOT_REPEATED(
            List.of("deaf", "cut"), "if repeated and last == claim then", "if false then"),
    LAST_PARKED_GOES_FIRST(
            List.of(),
            "local first = redis.call('ZRANGE', parked, 0, 0)[1]\n",
            "local first = redis.call('ZRANGE', parked, -1, -1)[1]\n"),
    CLAIMED_IS_FOLDED_INTO_BY_ANYBODY(
            List.of(),
            "if v[STATE] ~= 'Q' then return newer(",
            "if v[STATE] ~= 'Q' and v[STATE] ~= 'C' then return newer("),
    HANDLERS_ARE_ASKED_AT_THE_CLAIM(List.of()),
    REFUSED_IS_STORED(List.of()),
    VETO_IS_IGNORED(List.of()),
    VANISHED_AGENT_IS_OVERLOOKED(List.of()),
    ROW_IS_NOT_FENCED(List.of("pause")),
    ROW_OF_THE_DEAD_IS_LEFT(List.of("kill", "pause")),
    ROWS_ARE_DROPPED_WHILE_AWAY(List.of("db-kill", "db-pause"));

    private final List<String> faults;
    private final List<String> patch;
    private final Map<String, byte[]> mutated = new ConcurrentHashMap<>();
    private final Set<String> sown = ConcurrentHashMap.newKeySet();

    Mutant(List<String> faults, String... patch) {
        this.faults = faults;
        this.patch = List.of(patch);
    }

    /** The kinds of faults without which it does nothing. */
    List<String> faults() {
        return faults;
    }

    /** What the stand-ins do wrong themselves; "" when it is in the scripts. */
    String ofStandin() {
        return patch.isEmpty() ? name() : "";
    }

    /** Whether scripts with the defect were sent, and with the whole of it. */
    boolean sown() {
        return sown.containsAll(places());
    }

    /** A command on its way to Redis, with the defect in it. */
    List<byte[]> sow(List<byte[]> command) {
        String name = new String(command.get(0), StandardCharsets.US_ASCII);
        if (name.equals("EVALSHA")) {
            byte[] other = mutated.get(new String(command.get(1), StandardCharsets.US_ASCII));
            return other == null ? command : with(command, 1, other);
        }
        if (name.equals("SCRIPT") && command.size() == 3) {
            String code = new String(command.get(2), StandardCharsets.UTF_8);
            String other = apply(code);
            if (!other.equals(code)) {
                mutated.put(sha1(code), sha1(other).getBytes(StandardCharsets.US_ASCII));
                return with(command, 2, other.getBytes(StandardCharsets.UTF_8));
            }
        }
        return command;
    }

    /** The script with the defect, if it is one for it. */
    String apply(String code) {
        String other = code;
        for (int i = 0; i < patch.size(); i += 2) {
            String place = ScriptNames.asSent(patch.get(i));
            if (other.contains(place)) {
                sown.add(patch.get(i));
                other = other.replace(place, ScriptNames.asSent(patch.get(i + 1)));
            }
        }
        return other;
    }

    /** What must be in the scripts for the defect to be sown whole. */
    List<String> places() {
        List<String> places = new ArrayList<>();
        for (int i = 0; i < patch.size(); i += 2) {
            places.add(patch.get(i));
        }
        return places;
    }

    private static List<byte[]> with(List<byte[]> command, int index, byte[] argument) {
        List<byte[]> changed = new ArrayList<>(command);
        changed.set(index, argument);
        return changed;
    }

    private static String sha1(String text) {
        try {
            return HexFormat.of()
                    .formatHex(
                            MessageDigest.getInstance("SHA-1")
                                    .digest(text.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
