package org.kohsuke.stapler;

import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import java.lang.reflect.Type;
import net.sf.json.JSONObject;

public interface StaplerRequest2 extends HttpServletRequest {
    String getRestOfPath();

    String getOriginalRestOfPath();

    <T> T bindJSON(Class<T> type, JSONObject jSONObject);

    void bindJSON(Object bean, JSONObject src);

    <T> T bindJSON(Type genericType, Class<T> erasure, Object json);

    JSONObject getSubmittedForm() throws ServletException;

    String getRootPath();

    <T> T findAncestorObject(Class<T> type);
}
