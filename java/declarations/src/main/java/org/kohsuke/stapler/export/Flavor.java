package org.kohsuke.stapler.export;

public enum Flavor {
    JSON,
    JSONP,
    PYTHON,
    RUBY,
    XML
}
