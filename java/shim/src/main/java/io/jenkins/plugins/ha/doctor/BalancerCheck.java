package io.jenkins.plugins.ha.doctor;

import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.doctor.Finding.Severity;
import io.jenkins.plugins.ha.forwarding.Reach;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import jenkins.model.JenkinsLocationConfiguration;
import net.sf.json.JSONObject;

/**
 * What answers at Jenkins' URL, where a load balancer should: a controller of a cluster, each in
 * its turn, without a cookie that ties a user to one.
 */
final class BalancerCheck implements Check {
    private static final int ASKED = 6;
    private static final Duration PATIENCE = Duration.ofSeconds(2);
    private static final String SYSTEM = "manage/configure";

    private final HttpClient client =
            HttpClient.newBuilder()
                    .version(HttpClient.Version.HTTP_1_1)
                    .connectTimeout(PATIENCE)
                    .followRedirects(HttpClient.Redirect.NEVER)
                    .build();

    @Override
    public List<Finding> look(Membership membership) {
        String url = JenkinsLocationConfiguration.get().getUrl();
        if (url == null || url.isEmpty()) {
            return List.of(); // said by another check
        }
        List<Finding> found = new ArrayList<>();
        String own = membership.forwarding().reach().ownAddress();
        if (!own.isEmpty() && Reach.isSame(url, own)) {
            add(
                    found,
                    Severity.WARNING,
                    "address-of-one",
                    "Jenkins' URL (" + url + ") is the address of this controller alone",
                    "Set it to the load balancer's: links in mails lead to nobody while this"
                            + " controller is down.");
            return found;
        }
        Set<String> boots = new HashSet<>();
        Set<String> cookies = new HashSet<>();
        for (int i = 0; i < ASKED; i++) {
            try {
                HttpResponse<String> answer = ask(url);
                answer.headers().allValues("Set-Cookie").stream()
                        .map(cookie -> cookie.replaceAll("=.*", ""))
                        .filter(name -> !name.startsWith("JSESSIONID"))
                        .forEach(cookies::add);
                String boot = boot(answer.body());
                if (boot.isEmpty()) {
                    add(
                            found,
                            Severity.WARNING,
                            "address-elsewhere",
                            url
                                    + "ha-health/ is not answered by a controller, but with "
                                    + answer.statusCode(),
                            "Correct Jenkins' URL, or let the balancer pass all of it on.");
                    return found;
                }
                boots.add(boot);
            } catch (IOException e) {
                add(
                        found,
                        Severity.NOTE,
                        "address-not-reached",
                        "This controller does not reach Jenkins' URL " + url + ": " + e,
                        "Correct it, unless only users reach it; then the balancer cannot be"
                                + " looked at from here.");
                return found;
            }
        }
        if (boots.size() == 1 && members(membership) > 1) {
            add(
                    found,
                    Severity.WARNING,
                    "balancer-one-controller",
                    "One controller alone answered " + ASKED + " requests to " + url,
                    "Let the balancer send to all controllers in turns: examples/haproxy,"
                            + " examples/nginx.");
        }
        if (!cookies.isEmpty()) {
            add(
                    found,
                    Severity.NOTE,
                    "balancer-sticky",
                    "The balancer ties users to a controller by the cookie "
                            + String.join(", ", cookies),
                    "Take the stickiness away: it is not needed, and its users notice when their"
                            + " controller goes.");
        }
        return found;
    }

    private static int members(Membership membership) {
        try {
            return membership.cluster().members().size();
        } catch (HaException e) {
            return 0; // the monitor of the cluster says so
        }
    }

    private HttpResponse<String> ask(String url) throws IOException {
        try {
            URI health = URI.create(url + (url.endsWith("/") ? "" : "/") + "ha-health/");
            HttpRequest request = HttpRequest.newBuilder(health).timeout(PATIENCE).build();
            return client.send(request, HttpResponse.BodyHandlers.ofString());
        } catch (IllegalArgumentException e) {
            throw new IOException("it is no address", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException(e);
        }
    }

    /** Which boot of which controller answered; "" when it is none. */
    private static String boot(String body) {
        try {
            return JSONObject.fromObject(body).optString("boot");
        } catch (RuntimeException e) { // no JSON: somebody else's page
            return "";
        }
    }

    private static void add(
            List<Finding> found, Severity severity, String name, String evidence, String remedy) {
        found.add(new Finding(severity, name, "", evidence, remedy, SYSTEM));
    }
}
