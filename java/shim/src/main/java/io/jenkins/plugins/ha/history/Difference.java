package io.jenkins.plugins.ha.history;

import io.jenkins.plugins.ha.bridge.ConfigForm;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;

/**
 * Two forms, line by line: a shortest way from the one to the other, by the algorithm of Myers.
 * Where they differ in more than {@value #MOST_CHANGES} lines, all between their common beginning
 * and end is taken for changed.
 */
public final class Difference {
    /** Unchanged lines that are shown around what is changed. */
    private static final int AROUND = 3;

    /** The work grows with the square of it. */
    private static final int MOST_CHANGES = 2000;

    /** More lines are not shown. */
    private static final int MOST_SHOWN = 5000;

    /**
     * @param sign {@code +}, {@code -} or a space; {@code …} for lines that are left out
     * @param text the line
     */
    public record Line(char sign, String text) {
        /** For the page. */
        public String getSign() {
            return String.valueOf(sign);
        }

        public String getText() {
            return text;
        }

        /** The colour of a changed line, as a variable of Jenkins' style; "" for the others. */
        public String getStyle() {
            return switch (sign) {
                case '+' -> "background:color-mix(in srgb,var(--green) 20%,transparent)";
                case '-' -> "background:color-mix(in srgb,var(--red) 20%,transparent)";
                default -> "";
            };
        }
    }

    private final ConfigForm from;
    private final ConfigForm to;
    private final List<Line> lines;

    private Difference(ConfigForm from, ConfigForm to, List<Line> lines) {
        this.from = from;
        this.to = to;
        this.lines = lines;
    }

    static Difference of(ConfigForm from, String before, ConfigForm to, String after) {
        return new Difference(
                from, to, shortened(lines(before.lines().toList(), after.lines().toList())));
    }

    public Date getFrom() {
        return new Date(from.madeMillis());
    }

    public Date getTo() {
        return new Date(to.madeMillis());
    }

    /** What is changed, with a little around it; empty where nothing is. */
    public List<Line> getLines() {
        return lines;
    }

    /** All lines of both. */
    static List<Line> lines(List<String> before, List<String> after) {
        int start = 0;
        while (start < Math.min(before.size(), after.size())
                && before.get(start).equals(after.get(start))) {
            start++;
        }
        int end = 0;
        while (end < Math.min(before.size(), after.size()) - start
                && before.get(before.size() - 1 - end).equals(after.get(after.size() - 1 - end))) {
            end++;
        }
        List<Line> all = new ArrayList<>();
        before.subList(0, start).forEach(line -> all.add(new Line(' ', line)));
        between(
                before.subList(start, before.size() - end),
                after.subList(start, after.size() - end),
                all);
        before.subList(before.size() - end, before.size())
                .forEach(line -> all.add(new Line(' ', line)));
        return all;
    }

    private static void between(List<String> before, List<String> after, List<Line> all) {
        List<int[]> rounds = rounds(before, after);
        if (rounds == null) {
            before.forEach(line -> all.add(new Line('-', line)));
            after.forEach(line -> all.add(new Line('+', line)));
            return;
        }
        List<Line> backwards = new ArrayList<>();
        int x = before.size();
        int y = after.size();
        for (int changes = rounds.size() - 1; changes >= 0; changes--) {
            int[] reached = rounds.get(changes);
            int middle = reached.length / 2;
            int diagonal = x - y;
            boolean added =
                    diagonal == -changes
                            || diagonal != changes
                                    && reached[middle + diagonal - 1]
                                            < reached[middle + diagonal + 1];
            int cameFrom = added ? diagonal + 1 : diagonal - 1;
            int fromX = changes == 0 ? 0 : reached[middle + cameFrom];
            int fromY = changes == 0 ? 0 : fromX - cameFrom;
            while (x > fromX && y > fromY) {
                x--;
                y--;
                backwards.add(new Line(' ', before.get(x)));
            }
            if (changes > 0) {
                backwards.add(
                        added ? new Line('+', after.get(fromY)) : new Line('-', before.get(fromX)));
                x = fromX;
                y = fromY;
            }
        }
        for (int i = backwards.size() - 1; i >= 0; i--) {
            all.add(backwards.get(i));
        }
    }

    /**
     * For each number of changes how far each diagonal had been reached before; null where there
     * are too many.
     */
    private static List<int[]> rounds(List<String> before, List<String> after) {
        int most = Math.min(before.size() + after.size(), MOST_CHANGES);
        List<int[]> rounds = new ArrayList<>();
        int[] reached = new int[3];
        for (int changes = 0; changes <= most; changes++) {
            rounds.add(reached);
            int middle = reached.length / 2;
            int[] next = new int[reached.length + 2];
            for (int diagonal = -changes; diagonal <= changes; diagonal += 2) {
                boolean added =
                        diagonal == -changes
                                || diagonal != changes
                                        && reached[middle + diagonal - 1]
                                                < reached[middle + diagonal + 1];
                int x = added ? reached[middle + diagonal + 1] : reached[middle + diagonal - 1] + 1;
                int y = x - diagonal;
                while (x < before.size()
                        && y < after.size()
                        && before.get(x).equals(after.get(y))) {
                    x++;
                    y++;
                }
                next[middle + 1 + diagonal] = x;
                if (x >= before.size() && y >= after.size()) {
                    return rounds;
                }
            }
            reached = next;
        }
        return null;
    }

    private static List<Line> shortened(List<Line> all) {
        int[] near = new int[all.size() + 1];
        for (int i = 0; i < all.size(); i++) {
            if (all.get(i).sign != ' ') {
                near[Math.max(0, i - AROUND)]++;
                near[Math.min(all.size(), i + AROUND + 1)]--;
            }
        }
        List<Line> shown = new ArrayList<>();
        int depth = 0;
        boolean left = false;
        for (int i = 0; i < all.size(); i++) {
            depth += near[i];
            if (depth > 0 && shown.size() < MOST_SHOWN) {
                if (left && !shown.isEmpty()) {
                    shown.add(new Line('…', ""));
                }
                left = false;
                shown.add(all.get(i));
            } else {
                left = true;
            }
        }
        if (shown.size() >= MOST_SHOWN) {
            shown.add(new Line('…', ""));
        }
        return shown;
    }
}
