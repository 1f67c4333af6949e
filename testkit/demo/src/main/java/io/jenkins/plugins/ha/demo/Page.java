package io.jenkins.plugins.ha.demo;

import io.jenkins.plugins.ha.stage.Controller;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Locale;

/**
 * The demo as a page: one file without anything from elsewhere, that renews itself while the demo
 * runs.
 */
final class Page {
    private static final String STYLE =
            """
            body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; \
            color: #1c2733; background: #fff }
            table { border-collapse: collapse; width: 100%; margin: 1rem 0 }
            th, td { text-align: left; padding: .35rem .75rem; border-bottom: 1px solid #d8dee4 }
            th { font-weight: 600 }
            .c0 { background: #dbeafe } .c1 { background: #fef3c7 } .c2 { background: #dcfce7 }
            .c0, .c1, .c2 { border-radius: .5rem; padding: .1rem .6rem }
            .kept { color: #116329 } .broken { color: #a40e26; font-weight: 600 }
            """;

    private final Path file;
    private final String cast;
    private final List<Controller> controllers;

    Page(Path file, String cast, List<Controller> controllers) {
        this.file = file;
        this.cast = cast;
        this.controllers = controllers;
    }

    Path file() {
        return file;
    }

    void write(List<Board.Row> rows, List<Promises.Promise> promises, boolean running) {
        StringBuilder html =
                new StringBuilder("<!DOCTYPE html>\n<html lang=\"en\"><meta charset=\"utf-8\">\n");
        if (running) {
            html.append("<meta http-equiv=\"refresh\" content=\"1\">\n");
        }
        html.append("<title>HA Jenkins: which controller ran what</title>\n<style>\n")
                .append(STYLE);
        html.append("</style>\n<h1>Several controllers, one Jenkins</h1>\n<p>")
                .append(escape(cast));
        html.append(". All builds were triggered on ").append(escape(controllers.get(0).name()));
        html.append(running ? ".</p>\n<p>" : "; the demo has ended.</p>\n<p>");
        for (Controller controller : controllers) {
            html.append(badge(controller.name()));
            html.append(" <a href=\"%1$s\">%1$s</a> &nbsp; ".formatted(controller.url()));
        }
        html.append(
                "</p>\n"
                        + "<table><tr><th>Job<th>Queue item<th>Build<th>Ran"
                        + " on<th>State<th>Took</tr>\n");
        for (Board.Row row : rows) {
            html.append("<tr><td>").append(escape(row.job()));
            html.append("<td>").append(row.queueId());
            html.append("<td>").append(row.number() == 0 ? "" : "#" + row.number());
            html.append("<td>").append(row.controller().isEmpty() ? "" : badge(row.controller()));
            html.append("<td>").append(escape(row.state()));
            html.append("<td>")
                    .append(
                            row.ended() && row.millis() > 0
                                    ? String.format(Locale.ROOT, "%.1f s", row.millis() / 1000.0)
                                    : "");
            html.append("</tr>\n");
        }
        html.append("</table>\n<h2>Promises</h2>\n<ul>\n");
        for (Promises.Promise promise : promises) {
            html.append(promise.kept() ? "<li class=\"kept\">" : "<li class=\"broken\">");
            html.append(escape(promise.toString())).append("</li>\n");
        }
        html.append("</ul>\n</html>\n");
        try {
            Files.createDirectories(file.getParent());
            Path draft = file.resolveSibling("index.html.draft");
            Files.writeString(draft, html);
            Files.move(draft, file, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private String badge(String controller) {
        int index = 0;
        for (int i = 0; i < controllers.size(); i++) {
            if (controllers.get(i).name().equals(controller)) {
                index = i;
            }
        }
        return "<span class=\"c" + index % 3 + "\">" + escape(controller) + "</span>";
    }

    private static String escape(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace("\"", "&quot;");
    }
}
