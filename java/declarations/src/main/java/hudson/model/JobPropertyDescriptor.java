package hudson.model;

import net.sf.json.JSONObject;
import org.kohsuke.stapler.StaplerRequest2;

@SuppressWarnings({"rawtypes", "serial"})
public abstract class JobPropertyDescriptor extends Descriptor<JobProperty<?>> {
    protected JobPropertyDescriptor() {
        throw new UnsupportedOperationException();
    }

    @Override
    public JobProperty<?> newInstance(StaplerRequest2 req, JSONObject formData)
            throws Descriptor.FormException {
        throw new UnsupportedOperationException();
    }

    public boolean isApplicable(Class<? extends Job> jobType) {
        throw new UnsupportedOperationException();
    }
}
