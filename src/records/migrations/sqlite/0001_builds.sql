-- Several clusters may share a database.
CREATE TABLE ha_cluster (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
);

-- Renamed in place. Names that begin with / belong to jobs that were deleted before another took their name.
CREATE TABLE ha_job (
    id INTEGER PRIMARY KEY,
    cluster_id BIGINT NOT NULL REFERENCES ha_cluster (id),
    full_name TEXT NOT NULL,
    UNIQUE (cluster_id, full_name)
);

-- state: 0 runs, 1 has ended, 2 was deleted. Lists are JSON. Times are ms since 1970.
CREATE TABLE ha_build (
    job_id BIGINT NOT NULL REFERENCES ha_job (id),
    number INTEGER NOT NULL,
    cluster_id BIGINT NOT NULL,
    state SMALLINT NOT NULL,
    version BIGINT NOT NULL,
    queue_id BIGINT NOT NULL,
    controller_id TEXT NOT NULL,
    controller_name TEXT NOT NULL,
    incarnation TEXT NOT NULL,
    epoch BIGINT NOT NULL,
    adopted BIGINT NOT NULL DEFAULT 0,
    result TEXT NOT NULL,
    started BIGINT NOT NULL,
    duration BIGINT NOT NULL,
    display_name TEXT NOT NULL,
    description TEXT NOT NULL,
    keep SMALLINT NOT NULL,
    agent TEXT NOT NULL,
    causes TEXT NOT NULL,
    cause_search TEXT NOT NULL,
    users TEXT NOT NULL,
    parameters TEXT NOT NULL,
    commits TEXT NOT NULL,
    PRIMARY KEY (job_id, number)
);

-- At most one build for a queue item.
CREATE UNIQUE INDEX ha_build_item ON ha_build (cluster_id, queue_id) WHERE queue_id > 0 AND state <> 2;
CREATE INDEX ha_build_number ON ha_build (job_id, number) WHERE state <> 2;
CREATE INDEX ha_build_result ON ha_build (job_id, result, number) WHERE state = 1;
CREATE INDEX ha_build_job_time ON ha_build (job_id, started, number) WHERE state <> 2;
CREATE INDEX ha_build_time ON ha_build (cluster_id, started, job_id, number) WHERE state <> 2;
CREATE INDEX ha_build_result_time ON ha_build (cluster_id, result, started, job_id, number) WHERE state = 1;
CREATE INDEX ha_build_running ON ha_build (cluster_id, started, job_id, number) WHERE state = 0;

-- What builds are searched by, in the order of the pages. kind: 1 user, 2 parameter, 3 parameter with value, 4 commit,
-- 5 controller, 6 agent.
CREATE TABLE ha_build_tag (
    cluster_id BIGINT NOT NULL,
    kind SMALLINT NOT NULL,
    value TEXT NOT NULL,
    started BIGINT NOT NULL,
    job_id BIGINT NOT NULL,
    number INTEGER NOT NULL,
    PRIMARY KEY (cluster_id, kind, value, started, job_id, number)
) WITHOUT ROWID;
CREATE INDEX ha_build_tag_build ON ha_build_tag (job_id, number);

-- The exact bytes of build.xml: zstd, with size and SHA-256 of what it is unpacked.
CREATE TABLE ha_build_xml (
    job_id BIGINT NOT NULL,
    number INTEGER NOT NULL,
    content BLOB NOT NULL,
    size BIGINT NOT NULL,
    sha256 BLOB NOT NULL,
    PRIMARY KEY (job_id, number)
);

-- How far the writes of a controller's run have been stored: those that come again are skipped.
CREATE TABLE ha_outbox (
    cluster_id BIGINT NOT NULL,
    controller_id TEXT NOT NULL,
    origin TEXT NOT NULL,
    position BIGINT NOT NULL,
    PRIMARY KEY (cluster_id, controller_id, origin)
) WITHOUT ROWID;
