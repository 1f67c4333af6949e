package io.jenkins.plugins.ha.settings;

import hudson.Extension;
import hudson.XmlFile;
import hudson.util.FormValidation;
import hudson.util.Secret;
import io.jenkins.plugins.ha.Membership;
import io.jenkins.plugins.ha.NativeCore;
import io.jenkins.plugins.ha.bridge.Cluster;
import io.jenkins.plugins.ha.bridge.ClusterSettings;
import io.jenkins.plugins.ha.bridge.ConnectionTest;
import io.jenkins.plugins.ha.bridge.ControllerHome;
import io.jenkins.plugins.ha.bridge.HaException;
import io.jenkins.plugins.ha.bridge.Records;
import io.jenkins.plugins.ha.bridge.RecordsSettings;
import io.jenkins.plugins.ha.clouds.CloudRules;
import io.jenkins.plugins.ha.topology.HomeOfController;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.logging.Level;
import java.util.logging.Logger;
import jenkins.model.GlobalConfiguration;
import jenkins.model.Jenkins;
import net.sf.json.JSONObject;
import org.jenkinsci.Symbol;
import org.kohsuke.stapler.DataBoundSetter;
import org.kohsuke.stapler.QueryParameter;
import org.kohsuke.stapler.StaplerRequest2;
import org.kohsuke.stapler.verb.POST;

/**
 * Manage Jenkins &gt; System &gt; HA. Cluster name and Redis apply after a restart, since a queue
 * cannot be replaced under running builds; whether and how many builds are taken here applies at
 * once.
 */
@Extension
@Symbol("haCluster")
public class HaConfiguration extends GlobalConfiguration {
    private static final Logger LOGGER = Logger.getLogger(HaConfiguration.class.getName());
    private static final long TEST_MILLIS = 3000;
    private static final String CLUSTER_NAME = "[A-Za-z0-9._-]{1,64}";
    private static final int LONGEST_NAME = 255;
    private static final String NAME_FAULT =
            "The name and the URL of this controller are one line each, without control characters,"
                    + " of at most 255 bytes.";
    private static final int HISTORY_FORMS = 50;
    private static final int HISTORY_DAYS = 365;
    private static final String REDIS_ADDRESS = "rediss?(\\+sentinel|\\+cluster)?://[^\\s/]+(/.*)?";
    private static final String DATABASE_ADDRESS = "(postgres(ql)?://|sqlite:/)\\S+";

    private String cluster = "";
    private String redisUrl = "";
    private Secret redisPassword;
    private String name = "";
    private String url = "";
    private String databaseUrl = "";
    private Secret databasePassword;
    private boolean takesBuilds = true;
    private int capacity;
    private boolean rerun = true;
    private boolean adoptPipelines = true;
    private boolean takesSettings = true;
    private boolean askCloudsAtOnce = true;
    private String cloudRules = "";
    private String alsoCarried = "";
    private String notCarried = "";
    private int historyForms = HISTORY_FORMS;
    private int historyDays = HISTORY_DAYS;
    private transient String unreadable = "";

    /** Loads what was saved. */
    @SuppressWarnings("this-escape")
    public HaConfiguration() {
        load();
    }

    /** The one instance; null before extensions are there. */
    public static HaConfiguration get() {
        return GlobalConfiguration.all().get(HaConfiguration.class);
    }

    /**
     * As core does, but remembers a file that it could not read: it may say that this Jenkins
     * belongs to a cluster.
     */
    @Override
    public final synchronized void load() {
        XmlFile file = getConfigFile();
        try {
            if (file.exists()) {
                file.unmarshal(this);
            }
        } catch (IOException e) {
            LOGGER.log(Level.WARNING, "The settings of HA cannot be read", e);
            unreadable =
                    file.getFile()
                            + " cannot be read: mend it, or delete it to have a plain Jenkins.";
            return;
        }
        try {
            if (movePasswords(false)) {
                file.write(this); // nobody is to be told, so early in the boot
            }
        } catch (IOException e) {
            LOGGER.log(Level.WARNING, "A password stays inside a URL in " + file.getFile(), e);
        }
    }

    /**
     * A password inside a URL is kept as a password is; whether there was one. Settings of an older
     * version may have it there.
     *
     * @param replace whether it wins over one that is there already
     */
    private boolean movePasswords(boolean replace) {
        LoginUrl redis = LoginUrl.of(trimmed(redisUrl));
        if (!redis.password().isEmpty()) {
            redisUrl = redis.url();
            if (replace || Secret.toString(redisPassword).isEmpty()) {
                redisPassword = Secret.fromString(redis.password());
            }
        }
        LoginUrl database = LoginUrl.of(trimmed(databaseUrl));
        if (!database.password().isEmpty()) {
            databaseUrl = database.url();
            if (replace || Secret.toString(databasePassword).isEmpty()) {
                databasePassword = Secret.fromString(database.password());
            }
        }
        return !redis.password().isEmpty() || !database.password().isEmpty();
    }

    /** The form with what is inside the URL in the field for the password. */
    private static void movePassword(JSONObject json, String urlField, String passwordField) {
        LoginUrl url = LoginUrl.of(trimmed(json.optString(urlField)));
        if (!url.password().isEmpty()) {
            json.put(urlField, url.url());
            json.put(passwordField, url.password());
        }
    }

    /** Why the saved settings could not be read, with what to do; "" when they could. */
    public String getUnreadable() {
        return unreadable;
    }

    /**
     * Why a password of the page is not the password: it was saved by a controller with other
     * secrets. A sentence with what to do; "" when each is, or is set elsewhere.
     */
    public String undecipherable() {
        EffectiveSettings settings = effective();
        boolean redis = isUndecipherable(settings.redisPassword());
        if (!redis && !isUndecipherable(settings.databasePassword())) {
            return "";
        }
        String variable = redis ? EffectiveSettings.REDIS_PASSWORD : "HA_JENKINS_DATABASE_PASSWORD";
        return "The password of "
                + (redis ? "Redis" : "the database")
                + " in "
                + getConfigFile().getFile()
                + " cannot be decrypted, so nothing was asked with it: it was saved by a controller"
                + " with other secrets than this one's. If the file was copied from a controller of"
                + " the cluster, copy its folder secrets/ and its files secret.key and"
                + " identity.key.enc, too; or give the password as "
                + variable
                + ".";
    }

    /** Core takes for the password itself what it cannot decrypt. */
    private static boolean isUndecipherable(String password) {
        return password.matches("\\{AQAAA[A-Za-z0-9+/]{40,}=*\\}");
    }

    @Override
    public String getDisplayName() {
        return "HA";
    }

    /** What a boot would stumble over is not saved. */
    @Override
    public synchronized boolean configure(StaplerRequest2 request, JSONObject json)
            throws FormException {
        String newCluster = trimmed(json.optString("cluster"));
        if (!newCluster.isEmpty() && !newCluster.matches(CLUSTER_NAME)) {
            throw new FormException(
                    "The cluster name may have 1 to 64 letters, digits, dots, dashes or"
                            + " underscores.",
                    "cluster");
        }
        String newUrl = trimmed(json.optString("redisUrl"));
        if (!newUrl.isEmpty() && !newUrl.matches(REDIS_ADDRESS)) {
            throw new FormException(
                    "The Redis URL must look like redis://redis.example.com:6379, rediss://...,"
                            + " redis+sentinel://... or redis+cluster://...",
                    "redisUrl");
        }
        String newName = trimmed(json.optString("name"));
        if (!isOneLine(newName)) {
            throw new FormException(NAME_FAULT, "name");
        }
        if (!isOneLine(trimmed(json.optString("url")))) {
            throw new FormException(NAME_FAULT, "url");
        }
        try {
            CloudRules.parse(json.optString("cloudRules"));
        } catch (IllegalArgumentException e) {
            throw new FormException(e.getMessage(), "cloudRules");
        }
        movePassword(json, "redisUrl", "redisPassword");
        movePassword(json, "databaseUrl", "databasePassword");
        request.bindJSON(this, json);
        save();
        return true;
    }

    public String getCluster() {
        return cluster;
    }

    @DataBoundSetter
    public void setCluster(String cluster) {
        this.cluster = trimmed(cluster);
        save();
    }

    public String getRedisUrl() {
        return redisUrl;
    }

    @DataBoundSetter
    public void setRedisUrl(String redisUrl) {
        this.redisUrl = trimmed(redisUrl);
        movePasswords(true);
        save();
    }

    public Secret getRedisPassword() {
        return redisPassword;
    }

    @DataBoundSetter
    public void setRedisPassword(Secret redisPassword) {
        this.redisPassword = redisPassword;
        save();
    }

    /** What people call this controller; "" for its host name. */
    public String getName() {
        return name;
    }

    @DataBoundSetter
    public void setName(String name) {
        this.name = oneLine(name);
        save();
    }

    /** Where this controller, not the load balancer, is reached. */
    public String getUrl() {
        return url;
    }

    @DataBoundSetter
    public void setUrl(String url) {
        this.url = oneLine(url);
        save();
    }

    /** Where the build records are; "" for the embedded ones. */
    public String getDatabaseUrl() {
        return databaseUrl;
    }

    @DataBoundSetter
    public void setDatabaseUrl(String databaseUrl) {
        this.databaseUrl = trimmed(databaseUrl);
        movePasswords(true);
        save();
    }

    public Secret getDatabasePassword() {
        return databasePassword;
    }

    @DataBoundSetter
    public void setDatabasePassword(Secret databasePassword) {
        this.databasePassword = databasePassword;
        save();
    }

    public boolean isTakesBuilds() {
        return takesBuilds;
    }

    @DataBoundSetter
    public void setTakesBuilds(boolean takesBuilds) {
        this.takesBuilds = takesBuilds;
        save();
        applyNow();
    }

    /** How many builds may run here at once; 0 for as many as there are executors. */
    public int getCapacity() {
        return capacity;
    }

    @DataBoundSetter
    public void setCapacity(int capacity) {
        this.capacity = Math.max(0, capacity);
        save();
        applyNow();
    }

    /** Whether builds whose controller died run again; a job may say otherwise. */
    public boolean isRerun() {
        return rerun;
    }

    @DataBoundSetter
    public void setRerun(boolean rerun) {
        this.rerun = rerun;
        save();
    }

    /** Whether Pipelines whose controller died go on here. */
    public boolean isAdoptPipelines() {
        return adoptPipelines;
    }

    @DataBoundSetter
    public void setAdoptPipelines(boolean adoptPipelines) {
        this.adoptPipelines = adoptPipelines;
        save();
    }

    /**
     * As {@link #isAdoptPipelines}, unless the system property {@code
     * io.jenkins.plugins.ha.adoptPipelines} or the environment says otherwise.
     */
    public static boolean takesPipelinesOver() {
        String outside = System.getProperty("io.jenkins.plugins.ha.adoptPipelines");
        if (outside == null) {
            outside = System.getenv("HA_JENKINS_ADOPT_PIPELINES");
        }
        if (outside != null && !outside.isBlank()) {
            return Boolean.parseBoolean(outside.trim());
        }
        HaConfiguration settings = get();
        return settings == null || settings.adoptPipelines;
    }

    /**
     * Whether this controller takes the cluster's settings when it comes with others; else it does
     * not start.
     */
    public boolean isTakesSettings() {
        String property = System.getProperty("io.jenkins.plugins.ha.takesSettings");
        return property == null ? takesSettings : Boolean.parseBoolean(property);
    }

    @DataBoundSetter
    public void setTakesSettings(boolean takesSettings) {
        this.takesSettings = takesSettings;
        save();
    }

    /** Whether clouds are asked for an agent as soon as an item needs one. */
    public boolean isAskCloudsAtOnce() {
        return askCloudsAtOnce;
    }

    @DataBoundSetter
    public void setAskCloudsAtOnce(boolean askCloudsAtOnce) {
        this.askCloudsAtOnce = askCloudsAtOnce;
        save();
    }

    /** How many agents the cluster may have of which cloud, and which is asked as core does. */
    public String getCloudRules() {
        return trimmed(cloudRules);
    }

    /**
     * @throws IllegalArgumentException with a sentence for the admin
     */
    @DataBoundSetter
    public void setCloudRules(String cloudRules) {
        CloudRules.parse(trimmed(cloudRules));
        this.cloudRules = trimmed(cloudRules);
        save();
    }

    /** Says what is wrong with a line. */
    @POST
    public FormValidation doCheckCloudRules(@QueryParameter String value) {
        Jenkins.get().checkPermission(Jenkins.ADMINISTER);
        try {
            CloudRules.parse(trimmed(value));
            return FormValidation.ok();
        } catch (IllegalArgumentException e) {
            return FormValidation.error(e.getMessage());
        }
    }

    /** Names of files at the top of the home that are carried beside those of the list. */
    public String getAlsoCarried() {
        return trimmed(alsoCarried);
    }

    @DataBoundSetter
    public void setAlsoCarried(String alsoCarried) {
        this.alsoCarried = trimmed(alsoCarried);
        save();
    }

    /** Paths of files, relative to the home, that are not carried though the list has them. */
    public String getNotCarried() {
        return trimmed(notCarried);
    }

    @DataBoundSetter
    public void setNotCarried(String notCarried) {
        this.notCarried = trimmed(notCarried);
        save();
    }

    /** So many forms of each configuration are kept in its history. */
    public int getHistoryForms() {
        return historyForms > 0 ? historyForms : HISTORY_FORMS;
    }

    @DataBoundSetter
    public void setHistoryForms(int historyForms) {
        this.historyForms = historyForms;
        save();
    }

    /** Forms that are not in force any more are kept so many days, and those of what is deleted. */
    public int getHistoryDays() {
        return historyDays > 0 ? historyDays : HISTORY_DAYS;
    }

    @DataBoundSetter
    public void setHistoryDays(int historyDays) {
        this.historyDays = historyDays;
        save();
    }

    private static void applyNow() {
        Membership.active().ifPresent(membership -> membership.claimer().poke());
    }

    /** The settings as they apply on this controller. */
    public EffectiveSettings effective() {
        EffectiveSettings page =
                new EffectiveSettings(
                        trimmed(cluster),
                        trimmed(redisUrl),
                        redisPassword == null ? "" : redisPassword.getPlainText(),
                        trimmed(name),
                        trimmed(url),
                        trimmed(databaseUrl),
                        databasePassword == null ? "" : databasePassword.getPlainText(),
                        "");
        return EffectiveSettings.of(page, System::getProperty, System::getenv);
    }

    /**
     * Whether the environment or a system property settles where this controller belongs, so that
     * the page does not.
     */
    public boolean isSetFromOutside() {
        EffectiveSettings outside =
                EffectiveSettings.of(EffectiveSettings.NONE, System::getProperty, System::getenv);
        return !outside.cluster().isEmpty() || !outside.redisUrl().isEmpty();
    }

    /** Empty is fine: plain Jenkins. */
    public FormValidation doCheckCluster(@QueryParameter String value) {
        Jenkins.get().checkPermission(Jenkins.ADMINISTER);
        if (trimmed(value).isEmpty()) {
            return FormValidation.ok("Without a name this Jenkins stays on its own.");
        }
        return trimmed(value).matches(CLUSTER_NAME)
                ? FormValidation.ok()
                : FormValidation.error("Use 1 to 64 letters, digits, dots, dashes or underscores.");
    }

    /** Empty is fine as long as there is no cluster name. */
    public FormValidation doCheckRedisUrl(
            @QueryParameter String value, @QueryParameter String cluster) {
        Jenkins.get().checkPermission(Jenkins.ADMINISTER);
        if (trimmed(value).isEmpty()) {
            return trimmed(cluster).isEmpty() || isSetFromOutside()
                    ? FormValidation.ok()
                    : FormValidation.error(
                            "The cluster needs a Redis, such as redis://redis.example.com:6379.");
        }
        if (!LoginUrl.of(trimmed(value)).password().isEmpty()) {
            return FormValidation.ok("The password moves to its own field when this is saved.");
        }
        return trimmed(value).matches(REDIS_ADDRESS)
                ? FormValidation.ok()
                : FormValidation.error(
                        "Use redis://host:port, with Sentinel"
                                + " redis+sentinel://host:port,host:port/?master=NAME, for a Redis"
                                + " Cluster redis+cluster://host:port,host:port; or rediss for"
                                + " TLS.");
    }

    /** A name that is one line. */
    public FormValidation doCheckName(@QueryParameter String value) {
        Jenkins.get().checkPermission(Jenkins.ADMINISTER);
        return isOneLine(trimmed(value)) ? FormValidation.ok() : FormValidation.error(NAME_FAULT);
    }

    /** Empty is fine: a file beside the jobs. */
    public FormValidation doCheckDatabaseUrl(@QueryParameter String value) {
        Jenkins.get().checkPermission(Jenkins.ADMINISTER);
        if (!LoginUrl.of(trimmed(value)).password().isEmpty()) {
            return FormValidation.ok("The password moves to its own field when this is saved.");
        }
        return trimmed(value).isEmpty() || trimmed(value).matches(DATABASE_ADDRESS)
                ? FormValidation.ok()
                : FormValidation.error(
                        "Use postgresql://user@host:port/database, or leave it empty where all"
                                + " controllers are on one host.");
    }

    /** Empty is fine: the controller says where requests reach it. */
    public FormValidation doCheckUrl(@QueryParameter String value) {
        Jenkins.get().checkPermission(Jenkins.ADMINISTER);
        if (!isOneLine(trimmed(value))) {
            return FormValidation.error(NAME_FAULT);
        }
        return trimmed(value).isEmpty() || trimmed(value).matches("https?://[^\\s/]+(/\\S*)?")
                ? FormValidation.ok()
                : FormValidation.error(
                        "Use the address under which this controller itself is reached, such as"
                                + " https://jenkins-1.example.com/, not the load balancer's.");
    }

    /** A number from 0 on. */
    public FormValidation doCheckCapacity(@QueryParameter String value) {
        Jenkins.get().checkPermission(Jenkins.ADMINISTER);
        return trimmed(value).matches("\\d{0,6}")
                ? FormValidation.ok()
                : FormValidation.error("Use a number; 0 for as many as there are executors.");
    }

    /** Asks the Redis that is on the page, saved or not. */
    @POST
    public FormValidation doTestConnection(
            @QueryParameter String cluster,
            @QueryParameter String redisUrl,
            @QueryParameter String redisPassword) {
        Jenkins.get().checkPermission(Jenkins.ADMINISTER);
        EffectiveSettings asked =
                EffectiveSettings.of(
                        new EffectiveSettings(
                                trimmed(cluster),
                                trimmed(redisUrl),
                                Secret.fromString(trimmed(redisPassword)).getPlainText(),
                                "test",
                                "",
                                "",
                                "",
                                ""),
                        System::getProperty,
                        System::getenv);
        if (!asked.fault().isEmpty()) {
            return FormValidation.error(asked.fault());
        }
        if (!asked.configured()) {
            return FormValidation.warning(
                    "Give the cluster a name and a Redis URL such as"
                            + " redis://redis.example.com:6379.");
        }
        try {
            if (isUndecipherable(asked.redisPassword())) {
                return FormValidation.error(
                        "The password was saved by a controller with other secrets than this one's,"
                            + " so it cannot be decrypted: enter it again. Redis was not asked.");
            }
            NativeCore.load();
            ControllerHome home = HomeOfController.here();
            ConnectionTest test =
                    Cluster.test(
                            NativeCore.clusterSettings(asked, "test", "test", home), TEST_MILLIS);
            return test.warning().isEmpty()
                    ? FormValidation.ok(test.found())
                    : FormValidation.warning(test.found() + " " + test.warning());
        } catch (HaException e) {
            return FormValidation.error(e.getMessage());
        }
    }

    /** Asks the database that is on the page, saved or not. */
    @POST
    public FormValidation doTestDatabase(
            @QueryParameter String databaseUrl, @QueryParameter String databasePassword) {
        Jenkins.get().checkPermission(Jenkins.ADMINISTER);
        EffectiveSettings asked =
                EffectiveSettings.of(
                        new EffectiveSettings(
                                "test",
                                "",
                                "",
                                "",
                                "",
                                trimmed(databaseUrl),
                                Secret.fromString(trimmed(databasePassword)).getPlainText(),
                                ""),
                        System::getProperty,
                        System::getenv);
        if (!asked.fault().isEmpty()) {
            return FormValidation.error(asked.fault());
        }
        if (asked.databaseUrl().isEmpty()) {
            return FormValidation.ok(
                    "Without a URL the records are in a file beside the jobs, which serves"
                            + " controllers on one host.");
        }
        try {
            NativeCore.load();
            return FormValidation.ok(
                    Records.test(
                            new RecordsSettings(
                                    asked.databaseUrl(),
                                    asked.databasePassword(),
                                    asked.cluster(),
                                    "test",
                                    "test",
                                    ""),
                            TEST_MILLIS));
        } catch (HaException e) {
            return FormValidation.error(e.getMessage());
        }
    }

    /** For Configuration as Code and scripts, which no form has checked. */
    private static String oneLine(String text) {
        if (!isOneLine(trimmed(text))) {
            throw new IllegalArgumentException(NAME_FAULT);
        }
        return trimmed(text);
    }

    private static boolean isOneLine(String text) {
        return text.getBytes(StandardCharsets.UTF_8).length <= LONGEST_NAME
                && !text.matches("(?s).*[\\p{Cntrl}\\x{80}-\\x{9F}\\x{2028}\\x{2029}].*");
    }

    private static String trimmed(String value) {
        return value == null ? "" : value.trim();
    }

    /** Defaults that the bridge's settings take from here. */
    public static long leaseMillis() {
        return Long.getLong(
                "io.jenkins.plugins.ha.leaseMillis", ClusterSettings.DEFAULT_LEASE_MILLIS);
    }
}
