-- What was found wrong with a delivery, or with the whole city, one report a job. Append-only; times are UTC.
CREATE TABLE quality_report (
    job_id VARCHAR NOT NULL,
    baseline_version BIGINT NOT NULL,
    made_at TIMESTAMP NOT NULL,
    document VARCHAR NOT NULL          -- JSON object; places are in the city's CRS
);
