-- Why a build's file or record cannot be read; it stood in the description before.
ALTER TABLE ha_build ADD COLUMN damage TEXT NOT NULL DEFAULT '';
UPDATE ha_build SET damage = SUBSTR(description, 13), description = ''
    WHERE description LIKE 'Unreadable: %' AND controller_id = '' AND started = 0;

-- Late writes of builds that went with their jobs are known by their queue items.
CREATE INDEX ha_build_deleted ON ha_build (cluster_id, queue_id) WHERE queue_id > 0 AND state = 2;

-- Deletions of jobs that were made: each once, whoever brings it.
CREATE TABLE ha_deletion (
    cluster_id BIGINT NOT NULL,
    id TEXT NOT NULL,
    PRIMARY KEY (cluster_id, id)
);

-- Deleted jobs of whose builds not all are marked as deleted yet.
CREATE TABLE ha_grave (
    job_id BIGINT NOT NULL PRIMARY KEY,
    cluster_id BIGINT NOT NULL
);

-- Tombstones of deleted jobs stood in the way of another job with the same name.
UPDATE ha_job SET full_name = '/deleted/' || id || '/' || full_name
    WHERE SUBSTR(full_name, 1, 1) <> '/'
    AND EXISTS (SELECT 1 FROM ha_build b WHERE b.job_id = ha_job.id)
    AND NOT EXISTS (SELECT 1 FROM ha_build b WHERE b.job_id = ha_job.id AND b.state <> 2);
