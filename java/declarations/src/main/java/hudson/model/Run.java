package hudson.model;

import com.thoughtworks.xstream.XStream;
import hudson.ExtensionPoint;
import hudson.security.ACL;
import hudson.security.AccessControlled;
import hudson.security.Permission;
import hudson.util.XStream2;
import java.io.File;
import java.io.IOException;
import java.util.Calendar;
import java.util.Date;
import java.util.List;
import jenkins.model.FullyNamedModelObject;
import org.kohsuke.stapler.StaplerProxy;
import org.springframework.security.access.AccessDeniedException;

public abstract class Run<JobT extends Job<JobT, RunT>, RunT extends Run<JobT, RunT>>
        extends Actionable
        implements ExtensionPoint,
                AccessControlled,
                PersistenceRoot,
                StaplerProxy,
                FullyNamedModelObject {
    public static final XStream XSTREAM = null;

    public static final XStream2 XSTREAM2 = null;

    public static final Permission DELETE = null;

    public static final Permission UPDATE = null;

    public static final Permission ARTIFACTS = null;

    Run() {}

    public JobT getParent() {
        throw new UnsupportedOperationException();
    }

    public int getNumber() {
        throw new UnsupportedOperationException();
    }

    public String getId() {
        throw new UnsupportedOperationException();
    }

    public String getExternalizableId() {
        throw new UnsupportedOperationException();
    }

    public long getQueueId() {
        throw new UnsupportedOperationException();
    }

    public void setQueueId(long queueId) {
        throw new UnsupportedOperationException();
    }

    public Result getResult() {
        throw new UnsupportedOperationException();
    }

    public void setResult(Result result) {
        throw new UnsupportedOperationException();
    }

    public boolean isBuilding() {
        throw new UnsupportedOperationException();
    }

    public boolean isInProgress() {
        throw new UnsupportedOperationException();
    }

    public boolean isLogUpdated() {
        throw new UnsupportedOperationException();
    }

    public boolean hasntStartedYet() {
        throw new UnsupportedOperationException();
    }

    public final boolean isKeepLog() {
        throw new UnsupportedOperationException();
    }

    public final void keepLog() throws IOException {
        throw new UnsupportedOperationException();
    }

    public void keepLog(boolean newValue) throws IOException {
        throw new UnsupportedOperationException();
    }

    public File getRootDir() {
        throw new UnsupportedOperationException();
    }

    public File getLogFile() {
        throw new UnsupportedOperationException();
    }

    public Calendar getTimestamp() {
        throw new UnsupportedOperationException();
    }

    public final Date getTime() {
        throw new UnsupportedOperationException();
    }

    public final long getStartTimeInMillis() {
        throw new UnsupportedOperationException();
    }

    public long getDuration() {
        throw new UnsupportedOperationException();
    }

    public long getEstimatedDuration() {
        throw new UnsupportedOperationException();
    }

    public String getDescription() {
        throw new UnsupportedOperationException();
    }

    public void setDescription(String description) throws IOException {
        throw new UnsupportedOperationException();
    }

    public String getDisplayName() {
        throw new UnsupportedOperationException();
    }

    public void setDisplayName(String value) throws IOException {
        throw new UnsupportedOperationException();
    }

    public String getFullDisplayName() {
        throw new UnsupportedOperationException();
    }

    public String getUrl() {
        throw new UnsupportedOperationException();
    }

    public Executor getExecutor() {
        throw new UnsupportedOperationException();
    }

    public Executor getOneOffExecutor() {
        throw new UnsupportedOperationException();
    }

    public List<Cause> getCauses() {
        throw new UnsupportedOperationException();
    }

    public <T extends Cause> T getCause(Class<T> type) {
        throw new UnsupportedOperationException();
    }

    public RunT getPreviousBuild() {
        throw new UnsupportedOperationException();
    }

    public final RunT getPreviousBuildInProgress() {
        throw new UnsupportedOperationException();
    }

    public void save() throws IOException {
        throw new UnsupportedOperationException();
    }

    public void reload() throws IOException {
        throw new UnsupportedOperationException();
    }

    public void delete() throws IOException {
        throw new UnsupportedOperationException();
    }

    public static Run<?, ?> fromExternalizableId(String id)
            throws IllegalArgumentException, AccessDeniedException {
        throw new UnsupportedOperationException();
    }

    public ACL getACL() {
        throw new UnsupportedOperationException();
    }

    protected void onLoad() {
        throw new UnsupportedOperationException();
    }
}
