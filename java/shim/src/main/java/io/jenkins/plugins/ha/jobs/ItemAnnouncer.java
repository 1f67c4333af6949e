package io.jenkins.plugins.ha.jobs;

import io.jenkins.plugins.ha.Outbound;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import jenkins.util.Timer;

/**
 * Tells the other controllers what happened to items here, in order. Saves come in bursts; those of
 * one item within {@value #BURST_MILLIS} ms are told once. Thread-safe, never blocks.
 */
final class ItemAnnouncer {
    /** Announcements about items; the subject is the full name. */
    static final String TOPIC = "job";

    private static final long BURST_MILLIS = 50;

    private final Outbound outbound;
    private final Map<String, ItemNews> saved = new LinkedHashMap<>();

    ItemAnnouncer(Outbound outbound) {
        this.outbound = outbound;
    }

    /** The item was saved. */
    void saved(ItemNews news) {
        synchronized (saved) {
            if (saved.isEmpty()) {
                Timer.get().schedule(this::flush, BURST_MILLIS, TimeUnit.MILLISECONDS);
            }
            saved.put(news.name(), news);
        }
    }

    /** Anything else happened: told after what was saved before it. */
    void tell(ItemNews news) {
        synchronized (saved) {
            // a listener that heard of the new name first may have saved the item under it
            Map<String, ItemNews> after = new LinkedHashMap<>();
            if (news.kind() == ItemNews.Kind.MOVED) {
                after.putAll(saved);
                after.keySet()
                        .removeIf(
                                name ->
                                        !name.equals(news.name())
                                                && !name.startsWith(news.name() + "/"));
                saved.keySet().removeAll(after.keySet());
            }
            flush();
            send(news);
            after.values().forEach(this::send);
        }
    }

    /** What was saved is told now. */
    void flush() {
        synchronized (saved) {
            saved.values().forEach(this::send);
            saved.clear();
        }
    }

    private void send(ItemNews news) {
        outbound.tell(
                news.kind() + " of " + news.name(),
                cluster -> cluster.announce(TOPIC, news.name(), 0, news.body()));
    }
}
