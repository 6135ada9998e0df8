-- Datastreams, their observations and the days that a solver computed for replay.
-- Facts are appended without primary key or index; the latest state is kept in memory.
-- Every TIMESTAMP is UTC.

CREATE TABLE datastream (
    id VARCHAR NOT NULL,
    position INTEGER NOT NULL,
    name_en VARCHAR NOT NULL,
    name_zh VARCHAR NOT NULL,
    observed_property VARCHAR NOT NULL,
    unit VARCHAR NOT NULL,
    x DOUBLE NOT NULL,
    y DOUBLE NOT NULL,
    object_id VARCHAR,
    network_id VARCHAR,
    element_id VARCHAR,
    quality VARCHAR NOT NULL,
    generated BOOLEAN NOT NULL,
    period_s DOUBLE NOT NULL,
    range_low DOUBLE NOT NULL,
    range_high DOUBLE NOT NULL,
    limit_min DOUBLE,
    limit_max DOUBLE
);

-- One row per committed batch, numbered without gaps from (last pruned + 1).
CREATE TABLE observation_batch (
    batch_id BIGINT NOT NULL,
    committed_at TIMESTAMP NOT NULL,
    observations INTEGER NOT NULL,
    phenomenon_time_max TIMESTAMP NOT NULL
);

CREATE TABLE observation (
    batch_id BIGINT NOT NULL,
    datastream_id VARCHAR NOT NULL,
    phenomenon_time TIMESTAMP NOT NULL,
    result DOUBLE NOT NULL
);

-- The last batch that was pruned; one row.
CREATE TABLE observation_horizon (
    pruned_to BIGINT NOT NULL
);
INSERT INTO observation_horizon VALUES (0);

-- One row per datastream: its results at times of the local day.
CREATE TABLE state_series (
    name VARCHAR NOT NULL,
    position INTEGER NOT NULL,
    datastream_id VARCHAR NOT NULL,
    time_of_day_s DOUBLE[] NOT NULL,
    results DOUBLE[] NOT NULL
);
