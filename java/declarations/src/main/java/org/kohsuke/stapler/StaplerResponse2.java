package org.kohsuke.stapler;

import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import org.kohsuke.stapler.export.Flavor;

public interface StaplerResponse2 extends HttpServletResponse {
    void forward(Object it, String url, StaplerRequest2 request)
            throws ServletException, IOException;

    void forwardToPreviousPage(StaplerRequest2 staplerRequest2)
            throws ServletException, IOException;

    void sendRedirect2(String url) throws IOException;

    void serveExposedBean(StaplerRequest2 request, Object bean, Flavor flavor)
            throws ServletException, IOException;
}
