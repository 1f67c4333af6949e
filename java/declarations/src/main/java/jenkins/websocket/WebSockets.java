package jenkins.websocket;

import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;

public class WebSockets {
    WebSockets() {}

    public static void upgradeResponse(
            WebSocketSession session, HttpServletRequest req, HttpServletResponse rsp)
            throws IOException, ServletException {
        throw new UnsupportedOperationException();
    }
}
