package io.jenkins.plugins.ha.carried;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Finds users whose folder is gone: core tells nobody when it deletes one. Looks at the time of the
 * folder of all users, which changes with what is in it, and only then at each. One thread.
 */
final class DeletedFiles {
    private final Path home;
    private final Path users;
    private String stamp = "";
    private boolean begun;

    DeletedFiles(Path home) {
        this.home = home;
        this.users = home.resolve("users");
    }

    /** What is gone from now on was deleted here. */
    void begin() {
        begun = true;
    }

    /** Those of the files that are gone; none where the folder itself is, which is no deletion. */
    List<String> since(List<String> paths) {
        List<String> gone = new ArrayList<>();
        String now = Folders.stamp(users);
        if (!begun || now.isEmpty() || now.equals(stamp)) {
            return gone;
        }
        stamp = now;
        List<String> ofUsers = paths.stream().filter(path -> path.startsWith("users/")).toList();
        for (String path : ofUsers) {
            if (!Files.exists(home.resolve(path).getParent())) {
                gone.add(path);
            }
        }
        // All of them at once are lost, not deleted: nobody deletes the user that he is.
        return gone.size() == ofUsers.size() ? List.of() : gone;
    }
}
