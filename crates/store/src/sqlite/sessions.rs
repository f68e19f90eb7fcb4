//! People's sessions, in the database beside the journal.

use std::path::Path;

use leverframe_core::Timestamp;
use rusqlite::{Connection, Row, TransactionBehavior};

use crate::limit::SESSIONS_MAX;
use crate::port::StoredSession;

const TABLE: &str = "
    CREATE TABLE IF NOT EXISTS session (
        secret_sha256 BLOB    PRIMARY KEY CHECK (length(secret_sha256) = 32),
        token         TEXT    NOT NULL,
        created_ms    INTEGER NOT NULL,
        expires_ms    INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
";

pub(super) fn make(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(TABLE)
}

pub(super) fn save(connection: &mut Connection, session: &StoredSession) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction
        .prepare_cached(
            "INSERT OR REPLACE INTO session (secret_sha256, token, created_ms, expires_ms) \
             VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute((
            session.secret_sha256,
            &session.token,
            session.created_at.as_ms(),
            session.expires_at.as_ms(),
        ))?;
    transaction
        .prepare_cached(
            "DELETE FROM session WHERE secret_sha256 IN (SELECT secret_sha256 FROM session \
             ORDER BY expires_ms DESC, secret_sha256 LIMIT -1 OFFSET ?1)",
        )?
        .execute([SESSIONS_MAX.cast_signed()])?;
    transaction.commit()
}

pub(super) fn not_over(
    connection: &Connection,
    now: Timestamp,
    file: &Path,
) -> rusqlite::Result<Vec<StoredSession>> {
    let mut all = connection.prepare_cached(
        "SELECT secret_sha256, token, created_ms, expires_ms FROM session \
         WHERE expires_ms > ?1 ORDER BY expires_ms, secret_sha256",
    )?;
    let mut rows = all.query([now.as_ms()])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        match stored(row) {
            Ok(session) => found.push(session),
            Err(error) => tracing::warn!(
                file = %file.display(),
                %error,
                "a session is damaged and is not used; its owner signs in again"
            ),
        }
    }
    Ok(found)
}

pub(super) fn drop_one(connection: &Connection, secret_sha256: &[u8; 32]) -> rusqlite::Result<()> {
    let mut one = connection.prepare_cached("DELETE FROM session WHERE secret_sha256 = ?1")?;
    one.execute([secret_sha256]).map(drop)
}

pub(super) fn drop_over(connection: &Connection, now: Timestamp) -> rusqlite::Result<u64> {
    let mut over = connection.prepare_cached("DELETE FROM session WHERE expires_ms <= ?1")?;
    Ok(over.execute([now.as_ms()])? as u64)
}

fn stored(row: &Row<'_>) -> rusqlite::Result<StoredSession> {
    Ok(StoredSession {
        secret_sha256: row.get(0)?,
        token: row.get(1)?,
        created_at: Timestamp::from_ms(row.get(2)?),
        expires_at: Timestamp::from_ms(row.get(3)?),
    })
}
