package io.jenkins.plugins.ha.stage;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.UnaryOperator;

/**
 * The network between one controller and a server of this machine: a TCP proxy that can stall, go
 * silent, refuse and cut. Thread-safe.
 */
public final class FaultyLine implements AutoCloseable {
    private static final int BUFFER = 1 << 16;

    private volatile int server;
    private final ServerSocket listener;
    private final UnaryOperator<List<byte[]>> commands;
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();
    private final Object gate = new Object();
    private boolean stalled;
    private volatile boolean answersLost;
    private volatile boolean refusing;
    private volatile boolean closed;

    /** A line to that port, on a port of its own. */
    public FaultyLine(int server) {
        this(server, null);
    }

    /**
     * A line to a Redis that puts something else in the place of what is asked: {@code commands}
     * gets each command with its arguments and answers what to send. Null changes nothing.
     */
    public FaultyLine(int server, UnaryOperator<List<byte[]>> commands) {
        this.server = server;
        this.commands = commands;
        try {
            listener = new ServerSocket(0, 64, InetAddress.getLoopbackAddress());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        daemon("line-" + port(), this::accept);
    }

    /** From now on new connections go to that port, as when a balancer takes another server. */
    public void to(int port) {
        server = port;
    }

    /** Where it listens, on 127.0.0.1. */
    public int port() {
        return listener.getLocalPort();
    }

    /** Bytes stay where they are, in both directions; connections too, and new ones are taken. */
    public void stall(boolean stalled) {
        synchronized (gate) {
            this.stalled = stalled;
            gate.notifyAll();
        }
    }

    /**
     * Requests arrive, answers vanish. Cut the connections when it is over: no TCP would go on as
     * if nothing had been lost.
     */
    public void loseAnswers(boolean lost) {
        answersLost = lost;
    }

    /** New connections are closed at once. */
    public void refuse(boolean refusing) {
        this.refusing = refusing;
    }

    /** Ends all connections. */
    public void cut() {
        for (Socket socket : open) {
            end(socket);
        }
    }

    @Override
    public void close() {
        closed = true;
        try {
            listener.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        stall(false);
        cut();
    }

    private void accept() {
        while (!closed) {
            try {
                Socket client = listener.accept();
                open.add(client);
                if (refusing) {
                    end(client);
                } else {
                    daemon("line-" + port() + "-connect", () -> connect(client));
                }
            } catch (IOException e) {
                if (!closed) {
                    throw new UncheckedIOException(e);
                }
            }
        }
    }

    private void connect(Socket client) {
        try {
            Socket redis = new Socket(InetAddress.getLoopbackAddress(), server);
            open.add(redis);
            client.setTcpNoDelay(true);
            redis.setTcpNoDelay(true);
            daemon("line-" + port() + "-answers", () -> pump(redis, client, true));
            if (commands == null) {
                pump(client, redis, false);
            } else {
                rewrite(client, redis);
            }
        } catch (IOException e) {
            end(client);
        }
    }

    private void pump(Socket from, Socket to, boolean answers) {
        byte[] buffer = new byte[BUFFER];
        try {
            InputStream in = from.getInputStream();
            OutputStream out = to.getOutputStream();
            int length;
            while ((length = in.read(buffer)) >= 0) {
                pass();
                if (!answers || !answersLost) {
                    out.write(buffer, 0, length);
                }
            }
        } catch (IOException e) {
            // One end is gone: so is the other.
        }
        end(from);
        end(to);
    }

    private void rewrite(Socket from, Socket to) {
        try {
            InputStream in = new BufferedInputStream(from.getInputStream(), BUFFER);
            OutputStream out = new BufferedOutputStream(to.getOutputStream(), BUFFER);
            while (true) {
                List<byte[]> command = commands.apply(command(in));
                pass();
                out.write(bytes("*" + command.size() + "\r\n"));
                for (byte[] argument : command) {
                    out.write(bytes("$" + argument.length + "\r\n"));
                    out.write(argument);
                    out.write(bytes("\r\n"));
                }
                if (in.available() == 0) {
                    out.flush();
                }
            }
        } catch (IOException e) {
            // As above.
        }
        end(from);
        end(to);
    }

    private static List<byte[]> command(InputStream in) throws IOException {
        int arguments = length(in, '*');
        List<byte[]> command = new ArrayList<>(arguments);
        for (int i = 0; i < arguments; i++) {
            int length = length(in, '$');
            byte[] argument = in.readNBytes(length);
            if (argument.length < length) {
                throw new EOFException();
            }
            command.add(argument);
            in.skipNBytes(2);
        }
        return command;
    }

    private static int length(InputStream in, char kind) throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        int c;
        while ((c = in.read()) != '\r') {
            if (c < 0) {
                throw new EOFException();
            }
            line.write(c);
        }
        in.skipNBytes(1);
        String text = line.toString(StandardCharsets.US_ASCII);
        if (text.isEmpty() || text.charAt(0) != kind) {
            throw new IOException("no command: " + text);
        }
        return Integer.parseInt(text.substring(1));
    }

    /** Waits while stalled. */
    private void pass() {
        synchronized (gate) {
            while (stalled && !closed) {
                try {
                    gate.wait();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    return;
                }
            }
        }
    }

    private void end(Socket socket) {
        open.remove(socket);
        try {
            socket.close();
        } catch (IOException e) {
            // It is gone.
        }
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    private static void daemon(String name, Runnable task) {
        Thread thread = new Thread(task, name);
        thread.setDaemon(true);
        thread.start();
    }
}
