-- A record is never changed: undo is a new record. These stop a slip of the hand in sqlite3;
-- what stops a forger is the chain, which `lever audit verify` walks.
CREATE TRIGGER journal_is_not_edited BEFORE UPDATE ON journal
BEGIN SELECT RAISE(ABORT, 'the journal is append-only: undo with a new record'); END;

CREATE TRIGGER journal_is_not_shortened BEFORE DELETE ON journal
BEGIN SELECT RAISE(ABORT, 'the journal is append-only: undo with a new record'); END;
