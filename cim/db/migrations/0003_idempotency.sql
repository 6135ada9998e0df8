-- Results of writes that carried an idempotency key. Append-only; old rows leave at start.
-- Every TIMESTAMP is UTC.
CREATE TABLE idempotency (
    idempotency_key VARCHAR NOT NULL,
    fingerprint VARCHAR NOT NULL,
    result VARCHAR NOT NULL,          -- JSON value
    created_at TIMESTAMP NOT NULL
);

-- One row: the number of the last group of writes, advanced in each group's own transaction.
CREATE TABLE commit_mark (number BIGINT NOT NULL);
INSERT INTO commit_mark VALUES (0);
