-- Who may append: the holder of the highest fence given out.
CREATE TABLE leadership (
    only        INTEGER PRIMARY KEY CHECK (only = 1),
    fence       INTEGER NOT NULL,
    taken_at_ms INTEGER NOT NULL
) STRICT;

INSERT INTO leadership (only, fence, taken_at_ms) VALUES (1, 0, 0);
