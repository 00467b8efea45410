//! Following one object through everything that happens to a connection.
//!
//! A watch is resumed at the last `resourceVersion` that was received, so an interruption loses nothing. When the
//! server no longer knows that version (410), the object is read afresh; only then may events have been missed, and the
//! item that follows says so ([`Continuity::Gap`]).
//!
//! What ends a connection and what is done then:
//!
//! | end | next |
//! | --- | --- |
//! | the server's own time limit, a cut, half a line, silence, waking up from sleep | again from the last version |
//! | 410, as an answer or as an event; a version from the server's future | a fresh read, then from its version |
//! | 401, 403, 429, 5xx, no connection, an answer that cannot be read | again after a pause, for ever; told as trouble |
//!
//! The fresh read is a list of one: a list has the collection's version, while the object's own may be older than what
//! the server still knows, and then every watch from it would end in 410 again.

mod collection;
mod follow;
mod following;
mod timing;

pub use collection::CollectionEvent;
pub use follow::{Watch, WatchItem};
pub use following::Following;
