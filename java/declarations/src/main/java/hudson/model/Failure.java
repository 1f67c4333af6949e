package hudson.model;

import org.kohsuke.stapler.HttpResponse;

@SuppressWarnings("serial")
public class Failure extends RuntimeException implements HttpResponse {
    public Failure(String text) {
        super();
        throw new UnsupportedOperationException();
    }

    public Failure(String text, boolean flag) {
        super();
        throw new UnsupportedOperationException();
    }
}
