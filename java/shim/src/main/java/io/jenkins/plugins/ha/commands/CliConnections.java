package io.jenkins.plugins.ha.commands;

import hudson.init.InitMilestone;
import hudson.init.Initializer;
import hudson.util.PluginServletFilter;
import io.jenkins.plugins.ha.Membership;
import jakarta.servlet.Filter;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletResponse;
import jakarta.servlet.http.HttpServletRequest;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/**
 * {@code jenkins-cli -http} makes two connections, which a load balancer may send to two
 * controllers: then core waits a while for the second one and hangs up without a word. This says
 * what to do instead, in the client's own protocol.
 */
public final class CliConnections implements Filter {
    private static final String CORE_GAVE_UP = "full-duplex channel timeout";
    private static final String SENTENCE =
            "ERROR: The second connection of jenkins-cli -http did not reach this controller:"
                    + " a load balancer has probably sent it to another one of the cluster."
                    + " Use -webSocket instead of -http, or let the balancer send both of a"
                    + " client's connections to one controller.\n";

    /** Operations of core's plain CLI protocol, server to client. */
    private static final int EXIT = 4;

    private static final int STDERR = 8;

    /** What the client exits with, as when it cannot connect. */
    private static final int EXIT_CODE = 255;

    /** From then on requests pass through it. */
    @Initializer(after = InitMilestone.JOB_CONFIG_ADAPTED)
    public static void install() throws ServletException {
        if (Membership.active().isPresent()) {
            PluginServletFilter.addFilter(new CliConnections());
        }
    }

    @Override
    public void doFilter(ServletRequest request, ServletResponse response, FilterChain chain)
            throws IOException, ServletException {
        try {
            chain.doFilter(request, response);
        } catch (IOException | ServletException e) {
            if (!(request instanceof HttpServletRequest http)
                    || !"download".equals(http.getHeader("Side"))
                    || !gaveUp(e)) {
                throw e;
            }
            DataOutputStream client = new DataOutputStream(response.getOutputStream());
            byte[] text = SENTENCE.getBytes(StandardCharsets.UTF_8);
            client.writeInt(text.length);
            client.writeByte(STDERR);
            client.write(text);
            client.writeInt(Integer.BYTES);
            client.writeByte(EXIT);
            client.writeInt(EXIT_CODE);
            client.flush();
        }
    }

    private static boolean gaveUp(Throwable thrown) {
        for (Throwable e = thrown; e != null; e = e.getCause()) {
            if (String.valueOf(e.getMessage()).contains(CORE_GAVE_UP)) {
                return true;
            }
        }
        return false;
    }
}
