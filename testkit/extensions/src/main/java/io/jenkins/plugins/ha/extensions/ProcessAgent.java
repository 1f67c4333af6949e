package io.jenkins.plugins.ha.extensions;

import hudson.Extension;
import hudson.model.Computer;
import hudson.model.Descriptor;
import hudson.model.Executor;
import hudson.model.ExecutorListener;
import hudson.model.Node;
import hudson.model.Queue;
import hudson.model.TaskListener;
import hudson.remoting.Channel;
import hudson.slaves.AbstractCloudComputer;
import hudson.slaves.AbstractCloudSlave;
import hudson.slaves.JNLPLauncher;
import hudson.slaves.RetentionStrategy;
import hudson.slaves.SlaveComputer;
import java.io.File;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import jenkins.slaves.JnlpAgentReceiver;

/**
 * An agent of {@link ProcessCloud}. Its folder has the process' id, so that it can be ended from
 * anywhere; where it connects to is what the switch {@code cloud-url} says.
 */
public final class ProcessAgent extends AbstractCloudSlave {
    private static final long serialVersionUID = 1L;

    private final String cloudName;
    private final String folder;

    /** Not started yet. */
    public ProcessAgent(String name, String label, String cloudName)
            throws Descriptor.FormException, IOException {
        super(name, Switches.get("cloud-folder") + "/" + name, new Starting());
        this.cloudName = cloudName;
        this.folder = Switches.get("cloud-folder") + "/" + name;
        setLabelString(label);
        setNumExecutors(1);
        setMode(Node.Mode.EXCLUSIVE);
        setRetentionStrategy(new Once());
    }

    /** As plugins of clouds call it. */
    public String getCloudName() {
        return cloudName;
    }

    @Override
    @SuppressWarnings("rawtypes")
    public AbstractCloudComputer createComputer() {
        return new AbstractCloudComputer<>(this);
    }

    @Override
    protected void _terminate(TaskListener listener) throws IOException {
        Path pid = Path.of(folder, "pid");
        if (Files.exists(pid)) {
            Optional<ProcessHandle> process =
                    ProcessHandle.of(Long.parseLong(Files.readString(pid).strip()));
            process.ifPresent(ProcessHandle::destroyForcibly);
            Files.delete(pid);
        }
    }

    /** Starts the process, if it does not run yet, and waits until it is connected. */
    static final class Starting extends JNLPLauncher {
        @Override
        public boolean isLaunchSupported() {
            return true;
        }

        @Override
        public void launch(SlaveComputer computer, TaskListener listener) {
            try {
                start(((ProcessAgent) computer.getNode()).folder, computer.getName());
                for (int i = 0; i < 600 && computer.isOffline(); i++) {
                    Thread.sleep(100);
                }
            } catch (IOException | URISyntaxException e) {
                throw new IllegalStateException(e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }

        private static void start(String folder, String name)
                throws IOException, URISyntaxException {
            Path pid = Path.of(folder, "pid");
            if (Files.exists(pid)) {
                return;
            }
            Files.createDirectories(pid.getParent());
            File jar =
                    new File(
                            Channel.class
                                    .getProtectionDomain()
                                    .getCodeSource()
                                    .getLocation()
                                    .toURI());
            Process process =
                    new ProcessBuilder(
                                    List.of(
                                            Path.of(System.getProperty("java.home"), "bin", "java")
                                                    .toString(),
                                            "-Xmx96m",
                                            "-XX:TieredStopAtLevel=1",
                                            "-XX:+UseSerialGC",
                                            "-jar",
                                            jar.toString(),
                                            "-webSocket",
                                            "-url",
                                            Switches.get("cloud-url"),
                                            "-name",
                                            name,
                                            "-secret",
                                            JnlpAgentReceiver.SLAVE_SECRET.mac(name),
                                            "-workDir",
                                            folder))
                            .redirectErrorStream(true)
                            .redirectOutput(new File(folder, "agent.log"))
                            .start();
            Files.writeString(pid, Long.toString(process.pid()));
        }
    }

    /** Ends the agent when it has run something. */
    static final class Once extends RetentionStrategy<SlaveComputer> implements ExecutorListener {
        @Override
        public long check(SlaveComputer computer) {
            return 1;
        }

        @Override
        public void start(SlaveComputer computer) {
            computer.connect(false);
        }

        @Override
        public void taskStarted(Executor executor, Queue.Task task) {
            // nothing to do yet
        }

        @Override
        public void taskCompleted(Executor executor, Queue.Task task, long durationMS) {
            end(executor.getOwner());
        }

        @Override
        public void taskCompletedWithProblems(
                Executor executor, Queue.Task task, long durationMS, Throwable problems) {
            end(executor.getOwner());
        }

        private static void end(Computer computer) {
            if (computer.getNode() instanceof ProcessAgent agent) {
                ((SlaveComputer) computer).setAcceptingTasks(false);
                Computer.threadPoolForRemoting.submit(
                        () -> {
                            agent.terminate();
                            return null;
                        });
            }
        }
    }

    /** Jenkins asks for one. */
    @Extension
    public static final class Described extends hudson.model.Slave.SlaveDescriptor {}
}
