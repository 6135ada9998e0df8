-- The city: append-only versions of objects, numbered baselines, networks as snapshots. Times are UTC.
-- No primary keys or secondary indexes: facts are appended, the latest state is kept in memory.

CREATE TABLE city (
    slug VARCHAR NOT NULL,
    title_en VARCHAR NOT NULL,
    title_zh VARCHAR NOT NULL,
    crs VARCHAR NOT NULL,
    vertical_datum VARCHAR,
    ground VARCHAR NOT NULL,
    time_zone VARCHAR NOT NULL,
    created_at TIMESTAMP NOT NULL
);

CREATE TABLE baseline (
    baseline_version BIGINT NOT NULL,
    job_id VARCHAR NOT NULL,
    actor VARCHAR NOT NULL,
    origin VARCHAR NOT NULL,
    committed_at TIMESTAMP NOT NULL,
    added BIGINT NOT NULL,
    changed BIGINT NOT NULL,
    removed BIGINT NOT NULL
);

CREATE TABLE dataset (
    id VARCHAR NOT NULL,
    baseline_version BIGINT NOT NULL,
    title VARCHAR NOT NULL,
    source_file VARCHAR NOT NULL,
    source_sha256 VARCHAR NOT NULL,
    licence VARCHAR NOT NULL,
    attribution VARCHAR NOT NULL,
    reader VARCHAR NOT NULL,
    reader_version VARCHAR NOT NULL,
    read_at TIMESTAMP NOT NULL,
    generated BOOLEAN NOT NULL
);

CREATE TABLE city_object (
    id VARCHAR NOT NULL,
    baseline_version BIGINT NOT NULL,
    removed BOOLEAN NOT NULL,
    type VARCHAR NOT NULL,
    dataset VARCHAR NOT NULL,
    parent_id VARCHAR,
    attributes VARCHAR NOT NULL,
    place BLOB,
    xmin DOUBLE, ymin DOUBLE, zmin DOUBLE,
    xmax DOUBLE, ymax DOUBLE, zmax DOUBLE,
    digest VARCHAR NOT NULL,
    valid_from TIMESTAMP,
    valid_to TIMESTAMP
);

CREATE TABLE city_geometry (
    object_id VARCHAR NOT NULL,
    baseline_version BIGINT NOT NULL,
    lod VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    surfaces BLOB NOT NULL,
    structure VARCHAR
);

-- What a job has read and not yet published; emptied when the job ends, however it ends.
CREATE TABLE staged_object (
    job_id VARCHAR NOT NULL,
    sequence BIGINT NOT NULL,
    id VARCHAR NOT NULL,
    type VARCHAR NOT NULL,
    dataset VARCHAR NOT NULL,
    parent_id VARCHAR,
    attributes VARCHAR NOT NULL,
    place BLOB,
    xmin DOUBLE, ymin DOUBLE, zmin DOUBLE,
    xmax DOUBLE, ymax DOUBLE, zmax DOUBLE
);

CREATE TABLE staged_geometry (
    job_id VARCHAR NOT NULL,
    object_id VARCHAR NOT NULL,
    lod VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    surfaces BLOB NOT NULL,
    structure VARCHAR
);

CREATE TABLE network (
    id VARCHAR NOT NULL,
    baseline_version BIGINT NOT NULL,
    kind VARCHAR NOT NULL,
    dataset VARCHAR NOT NULL,
    generated BOOLEAN NOT NULL
);

CREATE TABLE network_node (
    network_id VARCHAR NOT NULL,
    baseline_version BIGINT NOT NULL,
    element_id VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    x DOUBLE NOT NULL,
    y DOUBLE NOT NULL,
    z DOUBLE NOT NULL,
    attributes VARCHAR NOT NULL
);

CREATE TABLE network_link (
    network_id VARCHAR NOT NULL,
    baseline_version BIGINT NOT NULL,
    element_id VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    from_node VARCHAR NOT NULL,
    to_node VARCHAR NOT NULL,
    line BLOB NOT NULL,
    attributes VARCHAR NOT NULL
);
