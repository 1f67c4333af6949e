package hudson.remoting;

import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

public class AsyncFutureImpl<V> implements Future<V> {
    public AsyncFutureImpl() {
        throw new UnsupportedOperationException();
    }

    public AsyncFutureImpl(V value) {
        throw new UnsupportedOperationException();
    }

    public AsyncFutureImpl(Throwable value) {
        throw new UnsupportedOperationException();
    }

    public void set(V value) {
        throw new UnsupportedOperationException();
    }

    public void set(Throwable problem) {
        throw new UnsupportedOperationException();
    }

    public void setAsCancelled() {
        throw new UnsupportedOperationException();
    }

    public boolean isDone() {
        throw new UnsupportedOperationException();
    }

    public boolean isCancelled() {
        throw new UnsupportedOperationException();
    }

    public boolean cancel(boolean mayInterruptIfRunning) {
        throw new UnsupportedOperationException();
    }

    public V get() throws InterruptedException, ExecutionException {
        throw new UnsupportedOperationException();
    }

    public V get(long timeout, TimeUnit unit)
            throws InterruptedException, ExecutionException, TimeoutException {
        throw new UnsupportedOperationException();
    }
}
