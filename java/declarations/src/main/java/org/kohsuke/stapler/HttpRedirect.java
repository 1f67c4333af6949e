package org.kohsuke.stapler;

@SuppressWarnings("serial")
public final class HttpRedirect extends RuntimeException implements HttpResponse {
    public HttpRedirect(String text) {
        super();
        throw new UnsupportedOperationException();
    }

    public HttpRedirect(int number, String text) {
        super();
        throw new UnsupportedOperationException();
    }
}
