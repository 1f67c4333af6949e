package io.jenkins.plugins.ha.deliveries;

import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import net.sf.json.JSONArray;
import net.sf.json.JSONObject;
import org.kohsuke.stapler.export.Exported;
import org.kohsuke.stapler.export.ExportedBean;

/** A webhook that came: when, to which controller, and what became of it. */
@ExportedBean
public final class InboxEntry {
    private final JSONObject json;

    InboxEntry(JSONObject json) {
        this.json = json;
    }

    /** As {@link #toLine} wrote it, by whichever version; null for what is no entry. */
    static InboxEntry ofLine(String line) {
        try {
            InboxEntry entry = new InboxEntry(JSONObject.fromObject(line));
            entry.getItems(); // can be read
            return entry.getId().isEmpty() ? null : entry;
        } catch (RuntimeException | StackOverflowError e) { // not finished, or somebody else's
            return null;
        }
    }

    /** One line. */
    String toLine() {
        return json.toString();
    }

    /** Tells it apart from all others. */
    @Exported
    public String getId() {
        return json.optString("id");
    }

    /** When it came, ms since 1970. */
    @Exported
    public long getAt() {
        return json.optLong("at");
    }

    /** When, for the page. */
    public Date getTime() {
        return new Date(getAt());
    }

    /** Name of the controller to which it came. */
    @Exported
    public String getController() {
        return json.optString("controller");
    }

    /** GET or POST. */
    @Exported
    public String getMethod() {
        return json.optString("method");
    }

    /** Its address below Jenkins' own; the values of its query are left out. */
    @Exported
    public String getAddress() {
        return json.optString("address");
    }

    /** What it is about, as its sender calls it; "" where it does not say. */
    @Exported
    public String getEvent() {
        return json.optString("event");
    }

    /** Its id, as its sender calls it; "" where it has none. */
    @Exported
    public String getDelivery() {
        return json.optString("delivery");
    }

    /** Whence it came to this controller: a load balancer, perhaps. */
    @Exported
    public String getSender() {
        return json.optString("sender");
    }

    /** The status that it was answered with; 0 where it failed. */
    @Exported
    public int getStatus() {
        return json.optInt("status");
    }

    /** How the answer begins, where it is a plain text; else "". */
    @Exported
    public String getAnswer() {
        return json.optString("answer");
    }

    /** Of which entry this is a redelivery; "" for what came from outside. */
    @Exported
    public String getRedeliveryOf() {
        return json.optString("redeliveryOf");
    }

    /** Whether it can be sent again: its request was kept. */
    @Exported
    public boolean isRedeliverable() {
        return !request().isEmpty();
    }

    /** What it led to before it was answered. */
    @Exported(inline = true)
    public List<Led> getItems() {
        List<Led> items = new ArrayList<>();
        JSONArray all = json.has("items") ? json.getJSONArray("items") : new JSONArray();
        for (int i = 0; i < all.size(); i++) {
            JSONObject one = all.getJSONObject(i);
            items.add(new Led(one.optLong("id"), one.optString("job")));
        }
        return items;
    }

    /** What it led to, or why to nothing, in a sentence. */
    @Exported
    public String getOutcome() {
        if (getStatus() == 0) {
            return "It failed: see the log of " + getController();
        }
        List<Led> items = getItems();
        String answer = getAnswer().isEmpty() ? "" : ": " + getAnswer();
        if (items.isEmpty()) {
            return "Answered with " + getStatus() + answer;
        }
        return items.stream().anyMatch(led -> led.id() > 0)
                ? ""
                : "Refused by Jenkins' queue" + answer;
    }

    /** The request, encrypted; "" where it was not kept. */
    String request() {
        return json.optString("request");
    }

    /**
     * A build that was asked for.
     *
     * @param id of its queue item; 0 where it was refused
     * @param job its name
     */
    @ExportedBean(defaultVisibility = 999)
    public record Led(long id, String job) {
        @Exported
        public long getId() {
            return id;
        }

        @Exported
        public String getJob() {
            return job;
        }

        JSONObject toJson() {
            JSONObject led = new JSONObject();
            led.put("id", id);
            led.put("job", job);
            return led;
        }
    }
}
