-- Long work and what it set aside. Few rows, updated in place, so no keys and no indexes.
-- Every TIMESTAMP is UTC.
CREATE TABLE job (
    job_id VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    title VARCHAR NOT NULL,
    actor VARCHAR NOT NULL,
    params VARCHAR NOT NULL,          -- JSON object
    state VARCHAR NOT NULL,
    attempt INTEGER NOT NULL,
    created_at TIMESTAMP NOT NULL,
    started_at TIMESTAMP,
    ended_at TIMESTAMP,
    error VARCHAR,                    -- JSON problem
    summary VARCHAR NOT NULL,         -- JSON object
    resume_point VARCHAR              -- JSON object written by the kind of job
);

CREATE TABLE job_step (
    job_id VARCHAR NOT NULL,
    position INTEGER NOT NULL,
    name VARCHAR NOT NULL,
    state VARCHAR NOT NULL,
    done BIGINT NOT NULL,
    total BIGINT,
    unit VARCHAR NOT NULL,
    rate_per_s DOUBLE
);

-- Features that were not taken in, with the reason. Append-only.
CREATE TABLE quarantine (
    job_id VARCHAR NOT NULL,
    dataset VARCHAR NOT NULL,
    native_id VARCHAR NOT NULL,
    source_file VARCHAR NOT NULL,
    code VARCHAR NOT NULL,            -- stable reason
    detail VARCHAR NOT NULL,
    params VARCHAR NOT NULL,          -- JSON object
    set_aside_at TIMESTAMP NOT NULL
);
