-- Schemes: branches of the city as logs of edits. Branches, edits and versions are appended only; what is said of a
-- scheme now is one small row that is updated in place. Every TIMESTAMP is UTC.

CREATE TABLE scheme (
    id VARCHAR NOT NULL,
    parent VARCHAR NOT NULL,             -- base, or another scheme
    parent_sequence BIGINT NOT NULL,     -- the parent's edit that the branch follows; 0 for base
    baseline_version BIGINT NOT NULL,    -- at the branch point
    position INTEGER NOT NULL,           -- 1, 2, 3 … in the order in which schemes were made
    author VARCHAR NOT NULL,
    created_at TIMESTAMP NOT NULL
);

CREATE TABLE scheme_card (
    scheme_id VARCHAR NOT NULL,
    words VARCHAR NOT NULL,              -- JSON: name, summary, tour
    state VARCHAR NOT NULL,              -- draft, published, withdrawn
    version INTEGER,                     -- the newest published one
    updated_at TIMESTAMP NOT NULL
);

CREATE TABLE scheme_edit (
    scheme_id VARCHAR NOT NULL,
    sequence BIGINT NOT NULL,            -- 1, 2, 3 … in its scheme
    kind VARCHAR NOT NULL,
    changes VARCHAR NOT NULL,            -- JSON
    author VARCHAR NOT NULL,
    edited_at TIMESTAMP NOT NULL,
    phase_year INTEGER,
    undoes BIGINT,
    findings VARCHAR NOT NULL,           -- JSON
    title VARCHAR NOT NULL,              -- JSON
    baseline_version BIGINT,             -- of a rebase
    merged_scheme VARCHAR,               -- of a merge
    merged_sequence BIGINT
);

CREATE TABLE scheme_version (
    scheme_id VARCHAR NOT NULL,
    number INTEGER NOT NULL,
    sequence BIGINT NOT NULL,
    baseline_version BIGINT NOT NULL,
    digest VARCHAR NOT NULL,
    words VARCHAR NOT NULL,              -- JSON, as published
    author VARCHAR NOT NULL,
    published_at TIMESTAMP NOT NULL
);
