//! How large it is, and how long copying takes.

/// Rows that are copied in a second, as a cautious floor: a laptop did 1000 users with all that hangs on them in 100 ms
/// (MAS's authors), matrix.org far more.
const ROWS_PER_SECOND: i64 = 10_000;

/// Seconds that copying so many rows may take; an estimate, and at least one.
pub fn copying_seconds(rows: i64) -> i64 {
    (rows / ROWS_PER_SECOND).max(1)
}
