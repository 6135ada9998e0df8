-- Results of writes that carried an idempotency key. Append-only; old rows leave at start.
-- Every TIMESTAMP is UTC.
CREATE TABLE idempotency (
    idempotency_key VARCHAR NOT NULL,
    fingerprint VARCHAR NOT NULL,
    result VARCHAR NOT NULL,          -- JSON value
    created_at TIMESTAMP NOT NULL
);
