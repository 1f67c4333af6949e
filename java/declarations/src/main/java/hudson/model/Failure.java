package hudson.model;

import org.kohsuke.stapler.HttpResponse;

@SuppressWarnings("serial")
public class Failure extends RuntimeException implements HttpResponse {
    public Failure(String message) {
        throw new UnsupportedOperationException();
    }

    public Failure(String message, boolean pre) {
        throw new UnsupportedOperationException();
    }
}
