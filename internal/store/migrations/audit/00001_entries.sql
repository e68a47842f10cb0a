-- +goose Up

-- time is in nanoseconds since 1970; the names are in lower case.
CREATE TABLE entry (
    seq       INTEGER PRIMARY KEY,
    time      INTEGER NOT NULL,
    refused   INTEGER NOT NULL,
    principal TEXT NOT NULL,
    name      TEXT NOT NULL,
    app       TEXT NOT NULL,
    body      TEXT NOT NULL
);
CREATE INDEX entry_time ON entry (time);
CREATE INDEX entry_refused ON entry (seq) WHERE refused = 1;
