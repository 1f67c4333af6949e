package org.kohsuke.stapler;

@SuppressWarnings("serial")
public class HttpResponses {
    HttpResponses() {}

    public static HttpResponse text(String text) {
        throw new UnsupportedOperationException();
    }

    public static HttpResponse literalHtml(String text) {
        throw new UnsupportedOperationException();
    }

    public static HttpResponses.HttpResponseException status(int number) {
        throw new UnsupportedOperationException();
    }

    public static HttpResponses.HttpResponseException error(Throwable throwable) {
        throw new UnsupportedOperationException();
    }

    public static HttpResponses.HttpResponseException error(int number, String text) {
        throw new UnsupportedOperationException();
    }

    public static HttpResponses.HttpResponseException error(int number, Throwable throwable) {
        throw new UnsupportedOperationException();
    }

    public static HttpResponses.HttpResponseException ok() {
        throw new UnsupportedOperationException();
    }

    public static HttpResponses.HttpResponseException notFound() {
        throw new UnsupportedOperationException();
    }

    public static HttpResponses.HttpResponseException forbidden() {
        throw new UnsupportedOperationException();
    }

    public static HttpRedirect redirectTo(String text) {
        throw new UnsupportedOperationException();
    }

    public static HttpRedirect redirectTo(int number, String text) {
        throw new UnsupportedOperationException();
    }

    public static HttpResponse redirectToDot() {
        throw new UnsupportedOperationException();
    }

    public static HttpResponses.HttpResponseException redirectViaContextPath(String text) {
        throw new UnsupportedOperationException();
    }

    public static HttpResponses.HttpResponseException redirectViaContextPath(
            int number, String text) {
        throw new UnsupportedOperationException();
    }

    public static HttpResponses.HttpResponseException forwardToPreviousPage() {
        throw new UnsupportedOperationException();
    }

    public abstract static class HttpResponseException extends RuntimeException
            implements HttpResponse {
        public HttpResponseException() {
            super();
            throw new UnsupportedOperationException();
        }

        public HttpResponseException(String text) {
            super();
            throw new UnsupportedOperationException();
        }

        public HttpResponseException(Throwable throwable) {
            super();
            throw new UnsupportedOperationException();
        }

        public HttpResponseException(String text, Throwable throwable) {
            super();
            throw new UnsupportedOperationException();
        }
    }
}
