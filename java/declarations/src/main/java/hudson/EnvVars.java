package hudson;

import java.util.Map;

public class EnvVars {
    public static final Map<String, String> masterEnvVars = null;
}
