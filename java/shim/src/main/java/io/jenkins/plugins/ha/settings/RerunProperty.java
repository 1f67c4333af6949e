package io.jenkins.plugins.ha.settings;

import hudson.Extension;
import hudson.model.AbstractProject;
import hudson.model.Job;
import hudson.model.JobProperty;
import hudson.model.JobPropertyDescriptor;
import hudson.util.ListBoxModel;
import net.sf.json.JSONObject;
import org.jenkinsci.Symbol;
import org.kohsuke.stapler.DataBoundConstructor;
import org.kohsuke.stapler.StaplerRequest2;

/**
 * What a job wants done with a build whose controller died. Jobs that say nothing follow the
 * settings of HA. For jobs whose builds end with their controller; a Pipeline goes on.
 */
public final class RerunProperty extends JobProperty<AbstractProject<?, ?>> {
    private static final String DEFAULT = "default";
    private static final String AGAIN = "again";
    private static final String NOT = "not";

    private final String policy;

    /**
     * @param policy {@code default}, {@code again} or {@code not}; others count as default
     */
    @DataBoundConstructor
    public RerunProperty(String policy) {
        this.policy = AGAIN.equals(policy) || NOT.equals(policy) ? policy : DEFAULT;
    }

    public String getPolicy() {
        return policy;
    }

    /** As the settings of HA say. */
    public boolean isDefault() {
        return !AGAIN.equals(policy) && !NOT.equals(policy);
    }

    /** It runs again. */
    public boolean isAgain() {
        return AGAIN.equals(policy);
    }

    /** The line in the job's configuration. */
    @Extension
    @Symbol("haRerun")
    public static final class DescriptorImpl extends JobPropertyDescriptor {
        @Override
        public String getDisplayName() {
            return "When the controller dies";
        }

        @Override
        @SuppressWarnings("rawtypes")
        public boolean isApplicable(Class<? extends Job> jobType) {
            return AbstractProject.class.isAssignableFrom(jobType);
        }

        /** Jobs that say nothing keep nothing. */
        @Override
        public JobProperty<?> newInstance(StaplerRequest2 request, JSONObject form)
                throws FormException {
            JobProperty<?> made = super.newInstance(request, form);
            return made instanceof RerunProperty property && property.isDefault() ? null : made;
        }

        /** The choices. */
        public ListBoxModel doFillPolicyItems() {
            HaConfiguration settings = HaConfiguration.get();
            boolean again = settings == null || settings.isRerun();
            ListBoxModel items = new ListBoxModel();
            items.add(
                    "As the settings of HA say ("
                            + (again ? "run again" : "do not run again")
                            + ")",
                    DEFAULT);
            items.add("Run the build again", AGAIN);
            items.add("Do not run the build again", NOT);
            return items;
        }
    }
}
