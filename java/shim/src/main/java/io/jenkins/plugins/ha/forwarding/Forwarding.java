package io.jenkins.plugins.ha.forwarding;

import hudson.model.Run;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.bridge.KnownController;
import io.jenkins.plugins.ha.life.Pool;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Semaphore;
import java.util.function.BooleanSupplier;
import java.util.logging.Level;
import java.util.logging.Logger;
import jenkins.util.SystemProperties;

/**
 * Passes requests on to the controllers that can answer them. On the thread of whoever asks, which
 * it keeps for as long as the other controller lives and says something; never under a lock.
 * Thread-safe.
 */
public final class Forwarding {
    private static final Logger LOGGER = Logger.getLogger(Forwarding.class.getName());

    /** What is asked of a controller to see whether it is reached. */
    static final String PING = "/ha-reach";

    /** For how long a statement counts, ms: time enough to reach the other controller. */
    static final long FRESH_MILLIS = 15_000;

    /** The longest body that is passed on, bytes: files among the parameters of an input. */
    static final long LONGEST_BODY =
            SystemProperties.getLong("io.jenkins.plugins.ha.forwardedBytes", 256L << 20);

    /** How long a controller that is a member may say nothing. */
    private static final Duration PATIENCE =
            Duration.ofMillis(
                    SystemProperties.getLong("io.jenkins.plugins.ha.forwardMillis", 30_000L));

    /** The same, where this controller can answer by itself. */
    private static final Duration QUICKLY = Duration.ofSeconds(2);

    private static final long FIRST_LOOK_MILLIS = 15_000;
    private static final long LOOK_MILLIS = 60_000;

    /** So many threads of the web server may wait for other controllers. */
    private static final int AT_ONCE = 64;

    private static final int TRIES = 3;
    private static final int BUFFER = 1 << 14;

    /** Of one connection, of one controller, or made anew here. */
    private static final Set<String> NOT_PASSED =
            Set.of(
                    "connection",
                    "content-length",
                    "date",
                    "keep-alive",
                    "location",
                    "proxy-authenticate",
                    "proxy-connection",
                    "server",
                    "set-cookie",
                    "strict-transport-security",
                    "te",
                    "trailer",
                    "transfer-encoding",
                    "upgrade",
                    Verdict.HEADER.toLowerCase(Locale.ROOT));

    private final Membership membership;
    private final RequestSeal key;
    private final Nonces nonces = new Nonces(4 * FRESH_MILLIS);
    private final Reach reach;
    private final Exchange exchange = new Exchange(PATIENCE);
    private final Semaphore room = new Semaphore(AT_ONCE);
    private final Pool looks = new Pool("ha-jenkins-reach", 1, 10);

    public Forwarding(Membership membership) {
        this.membership = membership;
        this.key = new RequestSeal(membership.settings().cluster());
        this.reach = new Reach(membership);
    }

    /** Where controllers are reached. */
    public Reach reach() {
        return reach;
    }

    RequestSeal key() {
        return key;
    }

    Nonces nonces() {
        return nonces;
    }

    /** Looks from now on, each minute, whether the others can be reached: an admin is told. */
    public void start() {
        looks.after(FIRST_LOOK_MILLIS, this::look);
    }

    /** Takes no more. */
    public void stop() {
        looks.stop();
        exchange.stop();
    }

    /**
     * Has the owner of a build answer, or says in a sentence why it does not. The user may read the
     * job.
     *
     * @param rest what is below the build's address
     */
    void pass(
            HttpServletRequest request,
            HttpServletResponse response,
            Run<?, ?> run,
            String owner,
            String rest)
            throws IOException {
        if (!room.tryAcquire()) {
            unavailable(
                    response,
                    "Too many requests wait for other controllers just now. Nothing was done. Try"
                            + " again in a few seconds.");
            return;
        }
        try (PassedRequest passed = new PassedRequest(request, run, rest)) {
            answer(passed, owner, request, response);
        } catch (Body.TooLong e) {
            say(
                    response,
                    HttpServletResponse.SC_REQUEST_ENTITY_TOO_LARGE,
                    "This is too long to be passed on to the controller that runs the build (more"
                            + " than "
                            + LONGEST_BODY
                            + " bytes; io.jenkins.plugins.ha.forwardedBytes).");
        } finally {
            room.release();
        }
    }

    /**
     * As {@link #pass}, for what this controller can answer by itself, too.
     *
     * @return false when it has to, since the owner did not within 2 s
     */
    boolean passQuickly(
            HttpServletRequest request,
            HttpServletResponse response,
            Run<?, ?> run,
            String owner,
            String rest)
            throws IOException {
        if (!room.tryAcquire()) {
            return false;
        }
        try (PassedRequest passed = new PassedRequest(request, run, rest);
                Outcome outcome = ask(passed, owner, QUICKLY)) {
            boolean answered = outcome.verdict == Verdict.PASSED;
            if (answered) {
                relay(outcome, owner, request, response);
            }
            return answered;
        } finally {
            room.release();
        }
    }

    private void look() {
        try {
            lookAtAll();
        } finally {
            looks.after(LOOK_MILLIS, this::look);
        }
    }

    private void lookAtAll() {
        for (KnownController one : membership.topology().known()) {
            if (one.lives() && !one.controllerId().equals(membership.identity().id())) {
                try (PassedRequest ping = PassedRequest.ping();
                        Outcome outcome = ask(ping, one.controllerId(), QUICKLY)) {
                    if (outcome.verdict == Verdict.PASSED) {
                        reach.reached(one.controllerId());
                    }
                } catch (IOException e) {
                    LOGGER.log(Level.FINE, "Not closed", e);
                }
            }
        }
    }

    private void answer(
            PassedRequest passed,
            String owner,
            HttpServletRequest request,
            HttpServletResponse response)
            throws IOException {
        try (Outcome outcome = ask(passed, owner, PATIENCE)) {
            if (outcome.verdict == Verdict.PASSED) {
                relay(outcome, owner, request, response);
            } else if (outcome.verdict == Verdict.STRANGER) {
                say(response, outcome.verdict.status(), outcome.verdict.sentence());
            } else {
                unavailable(response, outcome.sentence);
            }
        }
    }

    /**
     * How it went.
     *
     * @param verdict null where nobody has given one
     * @param sentence for the user, where it was not passed
     */
    private record Outcome(
            Verdict verdict, String sentence, HttpResponse<InputStream> answer, String address)
            implements AutoCloseable {
        static Outcome of(String sentence) {
            return new Outcome(null, sentence, null, "");
        }

        @Override
        public void close() throws IOException {
            if (answer != null) {
                answer.body().close();
            }
        }
    }

    /** Asks until somebody answers, or nothing more can be done without doing it twice. */
    private Outcome ask(PassedRequest passed, String owner, Duration patience) {
        String name = reach.name(owner);
        Statement statement = null;
        boolean anew = false;
        if (!reach.lives(owner)) {
            return Outcome.of(gone(name));
        }
        for (int attempt = 1; ; attempt++) {
            Reach.Place place;
            try {
                place = reach.of(owner, anew);
            } catch (HaException e) {
                LOGGER.log(Level.FINE, "Where " + name + " is reached is not known", e);
                return Outcome.of(silent(name, statement == null || passed.isSafe()));
            }
            if (place.address().isEmpty()) {
                reach.notReached(
                        owner,
                        "does not know where other controllers reach it, so what is asked of its"
                                + " Pipelines elsewhere is answered with 503: set its"
                                + " HA_JENKINS_URL, or HA_JENKINS_ADDRESS.");
                return Outcome.of(unreachable(name));
            }
            if (statement == null) {
                statement =
                        passed.statement(
                                membership.identity().id(),
                                owner,
                                place.life(),
                                membership.cluster().clockMillis());
            }
            try {
                Outcome outcome = once(passed, statement, owner, place, patience);
                boolean last = attempt >= TRIES;
                if (outcome.verdict == Verdict.OTHERS && !last) {
                    anew = true; // it has started or joined again, and has done nothing
                } else if (outcome.verdict == Verdict.REPEATED && passed.isSafe() && !last) {
                    anew = false;
                } else {
                    return outcome;
                }
                outcome.close();
                statement = null;
            } catch (Exchange.NotReached e) {
                if (attempt > 1 || !reach.lives(owner)) {
                    if (reach.lives(owner)) {
                        reach.notReached(
                                owner,
                                "cannot be reached at "
                                        + place.address()
                                        + " ("
                                        + e.getMessage()
                                        + "), so what is asked of its Pipelines elsewhere is"
                                        + " answered with 503: set its HA_JENKINS_URL, or"
                                        + " HA_JENKINS_ADDRESS, to where the other controllers"
                                        + " reach it.");
                    }
                    return Outcome.of(unreachable(name));
                }
                anew = true;
                statement = null;
            } catch (Exchange.Silent e) {
                return Outcome.of(silent(name, passed.isSafe()));
            } catch (IOException e) {
                LOGGER.log(Level.FINE, "The connection to " + name + " broke", e);
                if (attempt >= TRIES || !reach.lives(owner)) {
                    return Outcome.of(silent(name, passed.isSafe()));
                }
                anew = false; // with the same statement, which counts once
            }
        }
    }

    private Outcome once(
            PassedRequest passed,
            Statement statement,
            String owner,
            Reach.Place place,
            Duration patience)
            throws IOException {
        String name = reach.name(owner);
        HttpResponse<InputStream> answer;
        try {
            answer =
                    exchange.send(
                            passed.to(place.address(), statement, key, PATIENCE),
                            patience,
                            () -> reach.lives(owner));
        } catch (IllegalArgumentException e) {
            throw new Exchange.NotReached("that is no address of a web server", e);
        }
        Verdict verdict =
                answer.headers()
                        .firstValue(Verdict.HEADER)
                        .map(header -> Verdict.of(header, key, statement.nonce(), owner))
                        .orElse(null);
        if (verdict == null) {
            reach.notReached(
                    owner,
                    "is not what answers at "
                            + place.address()
                            + " (with "
                            + answer.statusCode()
                            + "), so what is asked of its Pipelines elsewhere is answered with 503:"
                            + " set its HA_JENKINS_URL, or HA_JENKINS_ADDRESS, to where the other"
                            + " controllers reach it itself, and not the load balancer.");
            return new Outcome(null, unreachable(name), answer, "");
        }
        String sentence =
                verdict == Verdict.REPEATED
                        ? "The controller "
                                + name
                                + " has received this, but its answer was lost."
                                + " Look at the build before you do it again."
                        : verdict.sentence();
        return new Outcome(verdict, sentence, answer, place.address());
    }

    private void relay(
            Outcome outcome, String owner, HttpServletRequest request, HttpServletResponse response)
            throws IOException {
        reach.reached(owner);
        HttpResponse<InputStream> answer = outcome.answer;
        response.setStatus(answer.statusCode());
        for (Map.Entry<String, List<String>> header : answer.headers().map().entrySet()) {
            if (!NOT_PASSED.contains(header.getKey().toLowerCase(Locale.ROOT))) {
                response.setHeader(header.getKey(), header.getValue().get(0));
                header.getValue()
                        .subList(1, header.getValue().size())
                        .forEach(value -> response.addHeader(header.getKey(), value));
            }
        }
        answer.headers()
                .firstValue("Location")
                .ifPresent(
                        location ->
                                response.setHeader(
                                        "Location", here(location, outcome.address, request)));
        answer.headers()
                .firstValueAsLong("Content-Length")
                .ifPresent(response::setContentLengthLong);
        BooleanSupplier lives = () -> reach.lives(owner);
        try (InputStream from = exchange.watched(answer.body(), lives)) {
            OutputStream to = response.getOutputStream();
            byte[] buffer = new byte[BUFFER];
            for (int read = from.read(buffer); read >= 0; read = from.read(buffer)) {
                to.write(buffer, 0, read);
                if (from.available() == 0) {
                    to.flush();
                }
            }
        } catch (Exchange.Silent e) {
            throw new IOException(
                    "The controller " + reach.name(owner) + " fell silent in its answer", e);
        }
    }

    /** The address under which the user finds what the owner calls by its own. */
    private static String here(String location, String address, HttpServletRequest request) {
        return location.equals(address) || location.startsWith(address + "/")
                ? request.getContextPath() + location.substring(address.length())
                : location;
    }

    private static String gone(String name) {
        return "The controller "
                + name
                + ", which ran this build, is gone. Nothing was done. A Pipeline goes on on another"
                + " controller within seconds, or waits until its own is back: try again then.";
    }

    private static String silent(String name, boolean nothingDone) {
        return "The controller "
                + name
                + ", which runs this build, does not answer. "
                + (nothingDone
                        ? "Nothing was done. "
                        : "It may have done this all the same: look at the build before you do it"
                                + " again. ")
                + "If it has died, a Pipeline goes on on another controller within seconds.";
    }

    private static String unreachable(String name) {
        return "The controller "
                + name
                + ", which runs this build, cannot be reached from here. Nothing was done. Try"
                + " again in a few seconds; if it stays so, an administrator finds the reason on"
                + " Manage Jenkins.";
    }

    private static void unavailable(HttpServletResponse response, String sentence)
            throws IOException {
        response.setHeader("Retry-After", "5");
        say(response, HttpServletResponse.SC_SERVICE_UNAVAILABLE, sentence);
    }

    static void say(HttpServletResponse response, int status, String sentence) throws IOException {
        response.setStatus(status);
        response.setContentType("text/plain;charset=UTF-8");
        byte[] line = (sentence + "\n").getBytes(StandardCharsets.UTF_8);
        response.getOutputStream().write(line);
    }
}
