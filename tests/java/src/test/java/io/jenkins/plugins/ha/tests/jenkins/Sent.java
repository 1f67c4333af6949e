package io.jenkins.plugins.ha.tests.jenkins;

import io.jenkins.plugins.ha.stage.JenkinsController;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;

/** What somebody on the network sends to a controller as if another one had passed it on. */
final class Sent {
    private static final String HEADER = "X-HA-Jenkins-Forwarded";

    private Sent() {}

    static HttpResponse<String> to(
            JenkinsController on, String method, String path, String body, String sealed) {
        HttpRequest.Builder request =
                HttpRequest.newBuilder(URI.create(on.url().toString().replaceAll("/$", "") + path))
                        .method(method, HttpRequest.BodyPublishers.ofString(body))
                        .header(HEADER, sealed);
        if (!body.isEmpty()) {
            request.header("Content-Type", "text/plain");
        }
        try {
            return HttpClient.newHttpClient()
                    .send(request.build(), HttpResponse.BodyHandlers.ofString());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
