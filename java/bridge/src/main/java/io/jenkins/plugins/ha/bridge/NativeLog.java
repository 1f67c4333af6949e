package io.jenkins.plugins.ha.bridge;

import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;

/**
 * Carries the library's log to {@code java.util.logging}, in a daemon thread: the library itself
 * never calls Java. How much is logged follows the logger's level within a second.
 */
final class NativeLog {
    static final String THREAD = "ha-jenkins-log";

    private static final Logger LOGGER = Logger.getLogger("io.jenkins.plugins.ha.native");
    private static final long WAIT_MILLIS = 1000;
    private static final long STOP_MILLIS = 2000;

    private final Thread thread = new Thread(this::run, THREAD);
    private volatile boolean stopping;

    private NativeLog() {
        thread.setDaemon(true);
        // Else the log would hold on to whatever class loader happened to load the library first.
        thread.setContextClassLoader(NativeLog.class.getClassLoader());
    }

    static NativeLog start() {
        NativeLog log = new NativeLog();
        log.thread.start();
        return log;
    }

    /** Writes what there is, and ends; waits for that, at most two seconds. */
    void stop() {
        stopping = true;
        Native.wakeLog();
        try {
            thread.join(STOP_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void run() {
        boolean last;
        do {
            last = stopping;
            try {
                Native.drainLog(level(), last ? 0 : WAIT_MILLIS).forEach(NativeLog::write);
            } catch (RuntimeException | Error e) {
                // A log that fails must not do more harm than being silent for a while.
                pause();
            }
        } while (!last);
    }

    private void pause() {
        try {
            Thread.sleep(WAIT_MILLIS);
        } catch (InterruptedException e) {
            stopping = true;
        }
    }

    private static void write(LogLine line) {
        LogRecord entry = new LogRecord(line.javaLevel(), line.text());
        entry.setLoggerName(LOGGER.getName());
        entry.setSourceClassName(line.module());
        entry.setSourceMethodName("");
        LOGGER.log(entry);
    }

    private static int level() {
        if (LOGGER.isLoggable(Level.FINER)) {
            return 5;
        }
        if (LOGGER.isLoggable(Level.FINE)) {
            return 4;
        }
        if (LOGGER.isLoggable(Level.INFO)) {
            return 3;
        }
        if (LOGGER.isLoggable(Level.WARNING)) {
            return 2;
        }
        return LOGGER.isLoggable(Level.SEVERE) ? 1 : 0;
    }
}
