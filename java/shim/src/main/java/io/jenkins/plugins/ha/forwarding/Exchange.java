package io.jenkins.plugins.ha.forwarding;

import io.jenkins.plugins.ha.life.Pool;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.channels.UnresolvedAddressException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import javax.net.ssl.SSLHandshakeException;

/**
 * Sends requests to other controllers and waits for their answers: for as long as the other one is
 * a member of the cluster, and not for ever. Thread-safe.
 */
final class Exchange {
    private static final Duration CONNECT = Duration.ofSeconds(2);
    private static final long LOOK_MILLIS = 250;
    private static final int THREADS = 4;

    private final long patienceNanos;
    private final Pool watch = new Pool("ha-jenkins-forward-watch", 1, 10_000);
    private final HttpClient client;

    /** Nothing was sent: nobody listens there, or not who should. */
    static final class NotReached extends IOException {
        private static final long serialVersionUID = 1L;

        NotReached(String why, Throwable cause) {
            super(why, cause);
        }
    }

    /** Nothing comes any more from who has been asked. */
    static final class Silent extends IOException {
        private static final long serialVersionUID = 1L;
    }

    /**
     * @param patience how long there may be silence within an answer
     */
    Exchange(Duration patience) {
        this.patienceNanos = patience.toNanos();
        AtomicInteger count = new AtomicInteger();
        this.client =
                HttpClient.newBuilder()
                        .version(HttpClient.Version.HTTP_1_1)
                        .connectTimeout(CONNECT)
                        .followRedirects(HttpClient.Redirect.NEVER)
                        .executor(
                                Executors.newFixedThreadPool(
                                        THREADS,
                                        work -> {
                                            Thread thread =
                                                    new Thread(
                                                            work,
                                                            "ha-jenkins-forward-"
                                                                    + count.incrementAndGet());
                                            thread.setDaemon(true);
                                            return thread;
                                        }))
                        .build();
    }

    /**
     * Sends it and waits until the answer begins.
     *
     * @param patience how long there may be silence before the answer
     * @param lives whether the other controller may still answer; asked now and then
     * @return its body is to be closed; reading it fails, too, when nothing comes any more
     * @throws NotReached when nothing was sent
     * @throws Silent when it was sent, and no answer came
     * @throws IOException when it may have been sent
     */
    HttpResponse<InputStream> send(HttpRequest request, Duration patience, BooleanSupplier lives)
            throws IOException {
        CompletableFuture<HttpResponse<InputStream>> coming =
                client.sendAsync(request, HttpResponse.BodyHandlers.ofInputStream());
        long since = System.nanoTime();
        while (true) {
            try {
                return coming.get(LOOK_MILLIS, TimeUnit.MILLISECONDS);
            } catch (TimeoutException e) {
                if (System.nanoTime() - since > patience.toNanos() || !lives.getAsBoolean()) {
                    coming.cancel(true);
                    throw new Silent();
                }
            } catch (InterruptedException e) {
                coming.cancel(true);
                Thread.currentThread().interrupt();
                throw new IOException(e);
            } catch (ExecutionException e) {
                throw failure(e.getCause());
            }
        }
    }

    private static IOException failure(Throwable cause) {
        for (Throwable one = cause; one != null; one = one.getCause()) {
            if (one instanceof HttpConnectTimeoutException) {
                return new NotReached("no connection within " + CONNECT.toSeconds() + " s", one);
            }
            if (one instanceof SSLHandshakeException) {
                return new NotReached("TLS: " + one.getMessage(), one);
            }
            if (one instanceof UnresolvedAddressException) {
                return new NotReached("its host name is not known here", one);
            }
            if (one instanceof ConnectException) {
                String why = one.getMessage() == null ? "nobody listens there" : one.getMessage();
                return new NotReached(why, one);
            }
        }
        return cause instanceof IOException io ? io : new IOException(cause);
    }

    /** The body of an answer, which fails where nothing comes any more. */
    InputStream watched(InputStream body, BooleanSupplier lives) {
        Watched watched = new Watched(body);
        look(watched, lives);
        return watched;
    }

    private void look(Watched watched, BooleanSupplier lives) {
        watch.after(
                LOOK_MILLIS,
                () -> {
                    if (watched.isDone()) {
                        return;
                    }
                    if (watched.isSilentFor(patienceNanos) || !lives.getAsBoolean()) {
                        watched.cut();
                    } else {
                        look(watched, lives);
                    }
                });
    }

    /** Takes no more. */
    void stop() {
        watch.stop();
    }

    private static final class Watched extends FilterInputStream {
        private volatile long heard = System.nanoTime();
        private volatile boolean done;
        private volatile boolean cut;

        Watched(InputStream body) {
            super(body);
        }

        @Override
        public int read() throws IOException {
            return told(super.read());
        }

        @Override
        public int read(byte[] bytes, int offset, int length) throws IOException {
            return told(super.read(bytes, offset, length));
        }

        private int told(int read) throws IOException {
            heard = System.nanoTime();
            if (cut) {
                throw new Silent();
            }
            done |= read < 0;
            return read;
        }

        boolean isDone() {
            return done;
        }

        boolean isSilentFor(long nanos) {
            return System.nanoTime() - heard > nanos;
        }

        /** Who waits for more is woken. */
        void cut() {
            cut = true;
            try {
                in.close();
            } catch (IOException e) {
                done = true; // it is closed all the same
            }
        }

        @Override
        public void close() throws IOException {
            done = true;
            super.close();
        }
    }
}
