-- What has a history of its configuration. name: full name of an item, or / and the path of a file of settings; it is
-- renamed in place. gone: when it was deleted, ms since 1970; 0 while it is there.
CREATE TABLE ha_configured (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    cluster_id BIGINT NOT NULL,
    name TEXT NOT NULL,
    gone BIGINT NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX ha_configured_name ON ha_configured (cluster_id, name) WHERE gone = 0;
CREATE INDEX ha_configured_gone ON ha_configured (cluster_id, gone) WHERE gone > 0;

-- The forms that a configuration had. kind: 0 changed, 1 created, 2 found, 3 moved, 4 deleted, 5 refused. made: ms since
-- 1970, by the database's clock. base and digest: SHA-256 of the form before and of this one. content: the bytes, zstd, and
-- nothing where there are none. seal: of the bytes, by a key that the database does not have. size: of what it is unpacked.
CREATE TABLE ha_form (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    configured_id BIGINT NOT NULL REFERENCES ha_configured (id),
    made BIGINT NOT NULL,
    kind SMALLINT NOT NULL,
    author TEXT NOT NULL,
    controller_id TEXT NOT NULL,
    controller_name TEXT NOT NULL,
    note TEXT NOT NULL,
    base TEXT NOT NULL,
    digest TEXT NOT NULL,
    seal TEXT NOT NULL,
    content BLOB NOT NULL,
    size BIGINT NOT NULL
);
CREATE INDEX ha_form_configured ON ha_form (configured_id, made, id);
CREATE INDEX ha_form_made ON ha_form (made);
