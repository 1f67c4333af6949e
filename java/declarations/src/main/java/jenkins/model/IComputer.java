package jenkins.model;

import hudson.model.ModelObject;
import hudson.security.ACL;
import hudson.security.AccessControlled;
import java.util.List;
import java.util.concurrent.Future;
import jenkins.agents.IOfflineCause;
import org.jenkins.ui.icon.IconSpec;

public interface IComputer extends AccessControlled, IconSpec, ModelObject, Named {
    List<? extends IDisplayExecutor> getDisplayExecutors();

    boolean isOffline();

    boolean isAcceptingTasks();

    String getUrl();

    IOfflineCause getOfflineCause();

    default String getOfflineCauseReason() {
        throw new UnsupportedOperationException();
    }

    boolean isConnecting();

    default String getIcon() {
        throw new UnsupportedOperationException();
    }

    default String getTooltip() {
        throw new UnsupportedOperationException();
    }

    @Override
    default String getIconClassName() {
        throw new UnsupportedOperationException();
    }

    int countBusy();

    int countExecutors();

    boolean isOnline();

    int countIdle();

    boolean isLaunchSupported();

    Future<?> connect(boolean forceReconnect);

    @Override
    default ACL getACL() {
        throw new UnsupportedOperationException();
    }
}
