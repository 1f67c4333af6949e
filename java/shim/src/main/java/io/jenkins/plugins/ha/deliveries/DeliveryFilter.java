package io.jenkins.plugins.ha.deliveries;

import hudson.init.InitMilestone;
import hudson.init.Initializer;
import hudson.util.PluginServletFilter;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.bridge.Turn;
import io.jenkins.plugins.ha.triggers.Occasion;
import jakarta.servlet.Filter;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletResponse;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;
import jenkins.util.SystemProperties;

/**
 * A delivery of a webhook, or any POST whose sender gave it an id, is dealt with once in the
 * cluster: not again when a load balancer tries another controller, or the sender sends it to
 * several. What failed, or died with its controller, may come again. Comes after login and crumb
 * have been checked, and after the body has arrived. While Redis is away each delivery is dealt
 * with: rather twice than never.
 *
 * <p>What anybody can send costs little: an id is kept for long only when a build was triggered, or
 * somebody had logged in; other ids briefly, and not more than so many; and few threads wait for a
 * delivery that is under way.
 */
@SuppressWarnings("try") // why builds are triggered is settled by having the scope open
public final class DeliveryFilter implements Filter {
    private static final Logger LOGGER = Logger.getLogger(DeliveryFilter.class.getName());

    /** Longer than balancers and senders try again by themselves. */
    private static final long REMEMBERED_MILLIS =
            SystemProperties.getLong(
                    "io.jenkins.plugins.ha.deliveriesRememberedMillis",
                    TimeUnit.MINUTES.toMillis(10));

    /** Less than the 10 s after which GitHub and others take a delivery for failed. */
    private static final long PATIENCE_MILLIS = 8000;

    private static final long LOOK_MILLIS = 100;

    /**
     * For who has not logged in and triggered nothing: longer than a balancer takes to try again.
     */
    private static final long BRIEFLY_MILLIS = 30_000;

    private static final Allowance NAMED = new Allowance(10_000);
    private static final Allowance ANONYMOUS = new Allowance(1000);

    /** How many requests may wait here for another one of the same id. */
    private static final Semaphore WAITING = new Semaphore(8);

    private static final int LONGEST_NOTE = 1000;

    /** From then on requests pass through it. */
    @Initializer(after = InitMilestone.JOB_CONFIG_ADAPTED)
    public static void install() throws ServletException {
        if (Membership.active().isPresent() && REMEMBERED_MILLIS > 0) {
            PluginServletFilter.addFilter(new DeliveryFilter());
        }
    }

    @Override
    public void doFilter(ServletRequest request, ServletResponse response, FilterChain chain)
            throws IOException, ServletException {
        Membership membership = Membership.active().orElse(null);
        Delivery delivery =
                membership != null && request instanceof HttpServletRequest http
                        ? Delivery.of(http)
                        : null;
        if (delivery == null) {
            chain.doFilter(request, response);
            return;
        }
        // who never sends the rest holds nothing but his own connection
        ArrivedRequest arrived = ArrivedRequest.of((HttpServletRequest) request);
        Turn turn = turn(membership, delivery);
        if (turn == null) {
            chain.doFilter(arrived, response);
        } else if (turn.mine()) {
            boolean again = turn.state() == Turn.State.AGAIN;
            forward(membership, delivery, again, arrived, (HttpServletResponse) response, chain);
        } else {
            delivery.answer(turn, (HttpServletResponse) response);
        }
    }

    /** Waits for whoever is at it, for a while; null when nobody can tell. */
    private static Turn turn(Membership membership, Delivery delivery) throws IOException {
        try {
            Turn turn = membership.cluster().begin(delivery.key(), REMEMBERED_MILLIS);
            if (turn.state() == Turn.State.UNDERWAY && WAITING.tryAcquire()) {
                try {
                    return afterWaiting(membership, delivery, turn);
                } finally {
                    WAITING.release();
                }
            }
            return turn;
        } catch (HaException e) {
            LOGGER.log(
                    Level.FINE,
                    "{0} is dealt with here, whatever others do: {1}",
                    new Object[] {delivery, e.getMessage()});
            return null;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException(e);
        }
    }

    private static Turn afterWaiting(Membership membership, Delivery delivery, Turn first)
            throws InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(PATIENCE_MILLIS);
        Turn turn = first;
        while (turn.state() == Turn.State.UNDERWAY && System.nanoTime() < deadline) {
            Thread.sleep(LOOK_MILLIS);
            turn = membership.cluster().begin(delivery.key(), REMEMBERED_MILLIS);
        }
        return turn;
    }

    /** For how long to remember what was dealt with; 0 for not at all. */
    private static long remembered(Delivery delivery, Occasion occasion) {
        if (occasion.triggered()) {
            return REMEMBERED_MILLIS;
        }
        long millis =
                delivery.isAnonymous()
                        ? Math.min(BRIEFLY_MILLIS, REMEMBERED_MILLIS)
                        : REMEMBERED_MILLIS;
        Allowance allowance = delivery.isAnonymous() ? ANONYMOUS : NAMED;
        return allowance.take(millis) ? millis : 0;
    }

    private static void forward(
            Membership membership,
            Delivery delivery,
            boolean again,
            ServletRequest request,
            HttpServletResponse response,
            FilterChain chain)
            throws IOException, ServletException {
        String key = delivery.key();
        boolean done = false;
        Occasion occasion = new Occasion(membership.cluster(), key, again, REMEMBERED_MILLIS);
        try (Occasion.Scope dealing = occasion.begin()) {
            chain.doFilter(request, response);
            done = response.getStatus() < HttpServletResponse.SC_BAD_REQUEST;
        } finally {
            long millis = done ? remembered(delivery, occasion) : 0;
            if (millis > 0) {
                String note = delivery.note(response);
                String kept =
                        note.getBytes(StandardCharsets.UTF_8).length > LONGEST_NOTE ? "" : note;
                membership
                        .outbound()
                        .tell(delivery.toString(), cluster -> cluster.done(key, kept, millis));
            } else {
                membership.outbound().tell(delivery.toString(), cluster -> cluster.notDone(key));
            }
        }
    }
}
