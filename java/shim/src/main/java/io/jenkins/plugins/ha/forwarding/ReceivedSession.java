package io.jenkins.plugins.ha.forwarding;

import jakarta.servlet.ServletContext;
import jakarta.servlet.http.HttpSession;
import java.lang.reflect.Proxy;
import java.util.Collections;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Stands for the session that a user has on another controller, while one request of his is
 * answered: crumbs of the page are those of that session, and count where he has it. What is put
 * into it is gone with the request.
 */
final class ReceivedSession {
    private ReceivedSession() {}

    static HttpSession of(String id, ServletContext context) {
        Map<String, Object> attributes = new ConcurrentHashMap<>();
        long now = System.currentTimeMillis();
        return (HttpSession)
                Proxy.newProxyInstance(
                        HttpSession.class.getClassLoader(),
                        new Class<?>[] {HttpSession.class},
                        (self, method, arguments) ->
                                switch (method.getName()) {
                                    case "getId" -> id;
                                    case "getAttribute" -> attributes.get(arguments[0]);
                                    case "setAttribute" -> {
                                        if (arguments[1] == null) {
                                            attributes.remove(arguments[0]);
                                        } else {
                                            attributes.put((String) arguments[0], arguments[1]);
                                        }
                                        yield null;
                                    }
                                    case "removeAttribute" -> {
                                        attributes.remove(arguments[0]);
                                        yield null;
                                    }
                                    case "getAttributeNames" ->
                                            Collections.enumeration(attributes.keySet());
                                    case "getServletContext" -> context;
                                    case "getCreationTime", "getLastAccessedTime" -> now;
                                    case "getMaxInactiveInterval" -> 0;
                                    case "isNew" -> false;
                                    case "setMaxInactiveInterval", "invalidate" -> null;
                                    case "equals" -> self == arguments[0];
                                    case "hashCode" -> System.identityHashCode(self);
                                    case "toString" -> "a session of another controller";
                                    default ->
                                            throw new UnsupportedOperationException(
                                                    method.getName());
                                });
    }
}
