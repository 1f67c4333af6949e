package io.jenkins.plugins.ha.deliveries;

import hudson.util.Secret;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.RequestPath;
import jakarta.servlet.http.HttpServletRequest;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Base64;
import java.util.Enumeration;
import java.util.Locale;
import java.util.Set;
import java.util.UUID;
import jenkins.util.SystemProperties;
import net.sf.json.JSONObject;

/**
 * Sends a webhook of the inbox once more, to the controller on which somebody asks for it, as its
 * sender sent it: with the same headers and body, but for its id, so that it is dealt with again;
 * and without a login, which is not kept. For that the request must have been kept: encrypted with
 * the secrets that the controllers share, since it may hold a token.
 */
final class Redelivery {
    /** Whether requests are kept. */
    private static final String KEPT = "io.jenkins.plugins.ha.inboxBodies";

    /** On a redelivery: the entry of the inbox that it is one of. */
    private static final String HEADER = "X-HA-Jenkins-Redelivery";

    /** No larger body is kept. */
    private static final int MOST = 256 << 10;

    private static final Duration PATIENCE = Duration.ofSeconds(30);

    /** Of the connection, or of who had logged in; the JDK's client makes its own. */
    private static final Set<String> LEFT_OUT =
            Set.of(
                    "authorization",
                    "proxy-authorization",
                    "cookie",
                    "connection",
                    "content-length",
                    "expect",
                    "host",
                    "keep-alive",
                    "te",
                    "trailer",
                    "transfer-encoding",
                    "upgrade");

    private Redelivery() {}

    static boolean keeps() {
        return SystemProperties.getBoolean(KEPT);
    }

    /** Of which entry this request is one; "" for what came from outside. */
    static String of(HttpServletRequest request) {
        String id = request.getHeader(HEADER);
        return id != null && id.matches("[0-9a-f-]{36}") ? id : "";
    }

    /** The request, to be kept; "" where its body is not whole here. */
    static String keep(ArrivedRequest request) {
        byte[] body = request.content(MOST);
        if (body == null) {
            return "";
        }
        String query = request.getQueryString();
        String path = RequestPath.of(request);
        JSONObject headers = new JSONObject();
        Enumeration<String> names = request.getHeaderNames();
        while (names.hasMoreElements()) {
            String name = names.nextElement();
            if (!LEFT_OUT.contains(name.toLowerCase(Locale.ROOT)) && !name.equals(HEADER)) {
                headers.put(name, " " + request.getHeader(name));
            }
        }
        JSONObject kept = new JSONObject();
        kept.put("method", request.getMethod());
        kept.put("address", path + (query == null ? "" : "?" + query));
        kept.put("headers", headers);
        kept.put("body", Base64.getEncoder().encodeToString(body));
        // not to be taken for JSON
        return "1:" + Secret.fromString(kept.toString()).getEncryptedValue();
    }

    /**
     * Sends it to this controller.
     *
     * @return the status of the answer
     * @throws IOException with a sentence for who asked for it
     */
    static int send(Membership membership, InboxEntry entry) throws IOException {
        Secret secret =
                entry.request().startsWith("1:")
                        ? Secret.decrypt(entry.request().substring(2))
                        : null;
        if (secret == null) {
            throw new IOException(
                    "Its request was not kept, or with other secrets than this controller has: set"
                            + " the property "
                            + KEPT
                            + " to keep those that come from now on.");
        }
        String own = membership.forwarding().reach().ownAddress();
        if (own.isEmpty()) {
            throw new IOException(
                    "This controller does not know its own address yet: set it under HA.");
        }
        JSONObject kept = JSONObject.fromObject(secret.getPlainText());
        byte[] body = Base64.getDecoder().decode(kept.getString("body"));
        String method = kept.getString("method");
        HttpRequest.Builder request =
                HttpRequest.newBuilder(URI.create(own + kept.getString("address")))
                        .timeout(PATIENCE)
                        .header(HEADER, entry.getId())
                        .method(
                                method,
                                method.equals("GET")
                                        ? HttpRequest.BodyPublishers.noBody()
                                        : HttpRequest.BodyPublishers.ofByteArray(body));
        JSONObject headers = kept.getJSONObject("headers");
        for (Object name : headers.keySet()) {
            String value = headers.getString((String) name).substring(1);
            request.header(
                    (String) name,
                    Delivery.isId((String) name) ? UUID.randomUUID().toString() : value);
        }
        HttpClient client =
                HttpClient.newBuilder()
                        .version(HttpClient.Version.HTTP_1_1)
                        .followRedirects(HttpClient.Redirect.NEVER)
                        .build();
        try {
            return client.send(request.build(), HttpResponse.BodyHandlers.discarding())
                    .statusCode();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException(e);
        }
    }
}
