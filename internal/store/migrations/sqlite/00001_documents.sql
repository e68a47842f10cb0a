-- +goose Up

-- key is the id in lower case; ids compare by it.
-- labels is the JSON of the unique and secondary keys as written, or ''.
CREATE TABLE document (
    kind   TEXT NOT NULL,
    key    TEXT NOT NULL,
    tenant TEXT NOT NULL,
    id     TEXT NOT NULL,
    etag   TEXT NOT NULL,
    labels TEXT NOT NULL,
    body   BLOB NOT NULL,
    PRIMARY KEY (kind, key)
);

CREATE TABLE unique_key (
    kind  TEXT NOT NULL,
    name  TEXT NOT NULL,
    value TEXT NOT NULL,
    key   TEXT NOT NULL,
    PRIMARY KEY (kind, name, value),
    FOREIGN KEY (kind, key) REFERENCES document (kind, key) ON DELETE CASCADE
) WITHOUT ROWID;
CREATE INDEX unique_key_document ON unique_key (kind, key);

CREATE TABLE secondary_key (
    kind  TEXT NOT NULL,
    name  TEXT NOT NULL,
    value TEXT NOT NULL,
    key   TEXT NOT NULL,
    PRIMARY KEY (kind, name, value, key),
    FOREIGN KEY (kind, key) REFERENCES document (kind, key) ON DELETE CASCADE
) WITHOUT ROWID;
CREATE INDEX secondary_key_document ON secondary_key (kind, key);

-- The newest change of each document.
CREATE TABLE change (
    seq     INTEGER PRIMARY KEY,
    tenant  TEXT NOT NULL,
    kind    TEXT NOT NULL,
    key     TEXT NOT NULL,
    id      TEXT NOT NULL,
    deleted INTEGER NOT NULL,
    UNIQUE (kind, key)
);

-- One row: the last sequence number given. Writing it is the commit lock.
CREATE TABLE feed (head INTEGER NOT NULL);
INSERT INTO feed (head) VALUES (0);
