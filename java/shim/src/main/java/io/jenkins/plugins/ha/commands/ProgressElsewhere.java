package io.jenkins.plugins.ha.commands;

import hudson.Util;
import hudson.init.InitMilestone;
import hudson.init.Initializer;
import hudson.model.Job;
import hudson.model.Run;
import hudson.util.PluginServletFilter;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.RequestPath;
import jakarta.servlet.Filter;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletResponse;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.http.HttpServletResponseWrapper;
import java.io.IOException;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How far builds are that another controller runs. Core asks a build's executor, which is not here,
 * so that its page says "executing for null" and its progress bar stands still, there and in the
 * history of its job. The pages get what core works out of an executor, from what the build itself
 * tells: when it started, and how long such builds take.
 */
public final class ProgressElsewhere implements Filter {
    private static final Pattern BUILD =
            Pattern.compile("(/.+)/([0-9]{1,9}|last[A-Za-z]*Build)/(statusIcon|console)?");

    /** With the history in the side panel, and what renews that. */
    private static final Pattern JOB = Pattern.compile("(/.+?)/(?:buildHistory/(?:ajax|all)/?)?");

    /** Core's two lines beside the caption: when it started, and for how long it runs. */
    private static final Pattern RUNS_FOR =
            Pattern.compile("(<div style=\"margin-top:1em\">[^<]*</div>\\s*<div>[^<]*?)\\bnull\\b");

    private static final Pattern BAR =
            Pattern.compile(
                    "<a [^>]*class=\"app-progress-bar\\b[^>]*>\\s*<span[^>]*?(?:/>|>\\s*</span>)");

    private static final Pattern HREF = Pattern.compile("href=\"([^\"]*/([0-9]{1,9})/[^\"/]*/?)\"");

    private static final String TOOLTIP = "Started %0 ago&#10; Estimated remaining time: %1";
    private static final String NOT_KNOWN = "N/A";

    /** From then on requests pass through it. */
    @Initializer(after = InitMilestone.JOB_CONFIG_ADAPTED)
    public static void install() throws ServletException {
        if (Membership.active().isPresent()) {
            PluginServletFilter.addFilter(new ProgressElsewhere());
        }
    }

    @Override
    public void doFilter(ServletRequest request, ServletResponse response, FilterChain chain)
            throws IOException, ServletException {
        if (!(request instanceof HttpServletRequest http)
                || !(response instanceof HttpServletResponse answer)) {
            chain.doFilter(request, response);
            return;
        }
        Membership membership = Membership.active().orElse(null);
        if (membership == null || !"GET".equals(http.getMethod())) {
            chain.doFilter(request, response);
            return;
        }
        Matcher build = BUILD.matcher(path(http));
        Run<?, ?> run = build.matches() ? StopFilter.build(build.group(1), build.group(2)) : null;
        if (run != null && membership.builds().runningOn(run) == null) {
            chain.doFilter(request, response);
        } else if (run != null && "statusIcon".equals(build.group(3))) {
            chain.doFilter(request, new WithHeaders(answer, Progress.of(run).headers()));
        } else {
            Matcher page = JOB.matcher(path(http));
            Job<?, ?> job =
                    run != null
                            ? run.getParent()
                            : page.matches() ? StopFilter.job(page.group(1)) : null;
            if (job == null || !membership.builds().anyRunning(job.getFullName())) {
                chain.doFilter(request, response);
                return;
            }
            CapturedText captured = new CapturedText(answer);
            chain.doFilter(request, captured);
            captured.send(html -> withBars(membership, job, withTime(html, run)));
        }
    }

    private static String path(HttpServletRequest request) {
        return RequestPath.of(request);
    }

    private static String withTime(String html, Run<?, ?> run) {
        if (run == null) {
            return html;
        }
        String runtime = Matcher.quoteReplacement(escaped(Progress.of(run).runtime()));
        return RUNS_FOR.matcher(html).replaceFirst("$1" + runtime);
    }

    /** Each bar leads to its build's console. */
    private static String withBars(Membership membership, Job<?, ?> job, String html) {
        return BAR.matcher(html)
                .replaceAll(
                        bar -> {
                            Matcher href = HREF.matcher(bar.group());
                            Run<?, ?> run =
                                    href.find()
                                            ? job.getBuildByNumber(Integer.parseInt(href.group(2)))
                                            : null;
                            return Matcher.quoteReplacement(
                                    run == null || membership.builds().runningOn(run) == null
                                            ? bar.group()
                                            : Progress.of(run).bar(href.group(1), isAnimated(bar)));
                        });
    }

    private static boolean isAnimated(MatchResult bar) {
        return bar.group().contains("app-progress-bar--animate");
    }

    private static String escaped(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace("\"", "&quot;");
    }

    /**
     * As core's executor tells it.
     *
     * @param percent 0 to 99, or -1 when it is not known
     */
    private record Progress(int percent, String runtime, String remaining, boolean stuck) {
        static Progress of(Run<?, ?> run) {
            long elapsed = Math.max(0, System.currentTimeMillis() - run.getStartTimeInMillis());
            long estimated = run.getEstimatedDuration();
            return new Progress(
                    estimated <= 0 ? -1 : (int) Math.min(99, elapsed * 100 / estimated),
                    Util.getTimeSpanString(elapsed),
                    estimated <= elapsed ? NOT_KNOWN : Util.getTimeSpanString(estimated - elapsed),
                    estimated > 0
                            ? estimated * 10 < elapsed
                            : TimeUnit.MILLISECONDS.toHours(elapsed) > 24);
        }

        Map<String, String> headers() {
            return Map.of(
                    "x-progress",
                    Integer.toString(percent),
                    "x-executor-runtime",
                    runtime,
                    "x-executor-remaining",
                    remaining,
                    "x-executor-stuck",
                    Boolean.toString(stuck));
        }

        /** As core draws it. */
        String bar(String href, boolean animated) {
            String tooltip =
                    TOOLTIP.replace("%0", escaped(runtime)).replace("%1", escaped(remaining));
            return "<a class=\"app-progress-bar"
                    + (stuck ? " app-progress-bar--error" : "")
                    + "\" href=\""
                    + href
                    + "\" tooltip=\""
                    + tooltip
                    + "\" data-tooltip-append-to-parent=\"true\" data-tooltip-template=\""
                    + TOOLTIP
                    + "\"><span class=\""
                    + (animated || percent < 0 ? "app-progress-bar--animate" : "")
                    + (percent < 0
                            ? " app-progress-bar--unknown\"></span>"
                            : "\" style=\"width: " + percent + "%;\"></span>");
        }
    }

    /** Sets these whatever core says, which knows no executor. */
    private static final class WithHeaders extends HttpServletResponseWrapper {
        private final Map<String, String> headers;

        WithHeaders(HttpServletResponse response, Map<String, String> headers) {
            super(response);
            this.headers = headers;
            headers.forEach(super::setHeader);
        }

        @Override
        public void setHeader(String name, String value) {
            if (!headers.containsKey(name.toLowerCase(Locale.ROOT))) {
                super.setHeader(name, value);
            }
        }

        @Override
        public void addHeader(String name, String value) {
            if (!headers.containsKey(name.toLowerCase(Locale.ROOT))) {
                super.addHeader(name, value);
            }
        }
    }
}
