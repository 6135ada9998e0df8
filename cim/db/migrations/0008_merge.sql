-- Several sources of one building. city_object holds what is shown; an object that shares its building with another
-- source is kept as its source gave it in source_object. Both are append-only versions; a city of one source has none.

CREATE TABLE source_object (
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

CREATE TABLE source_geometry (
    object_id VARCHAR NOT NULL,
    baseline_version BIGINT NOT NULL,
    lod VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    surfaces BLOB NOT NULL,
    structure VARCHAR
);

-- Which shown object a source's object contributes to, and why; NULL: to none any more.
CREATE TABLE contribution (
    object_id VARCHAR NOT NULL,
    baseline_version BIGINT NOT NULL,
    canonical_id VARCHAR,
    match VARCHAR NOT NULL,           -- first, id, parcel, overlap, part
    overlap DOUBLE,                   -- shared part of the smaller footprint
    iou DOUBLE                        -- shared part of the union
);

-- The declared order of sources by attribute; the newest counts.
CREATE TABLE merge_priority (
    baseline_version BIGINT NOT NULL,
    rules VARCHAR NOT NULL
);

-- What a job's delivery did to the city, as JSON.
CREATE TABLE merge_report (
    job_id VARCHAR NOT NULL,
    baseline_version BIGINT NOT NULL,
    report VARCHAR NOT NULL
);

-- A source that was taken back is no source of the city any more, until it comes again.
ALTER TABLE dataset ADD COLUMN withdrawn BOOLEAN;
