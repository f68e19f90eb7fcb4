-- The journal: one row for each record, in the order of revisions, chained by hash.
-- text is the record's JSON exactly as hashed; link = SHA-256(previous || text).
CREATE TABLE journal (
    revision INTEGER PRIMARY KEY,
    at_ms    INTEGER NOT NULL,
    text     TEXT    NOT NULL,
    previous BLOB    NOT NULL CHECK (length(previous) = 32),
    link     BLOB    NOT NULL CHECK (length(link) = 32)
) STRICT;
