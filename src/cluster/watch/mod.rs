//! Watches one object across interrupted connections.
//!
//! A watch resumes at the last received `resourceVersion`, so an interruption loses no events. If the server no longer has that
//! version (410), the object is read again; only then can events be missed, and the next item says so ([`Continuity::Gap`]).
//!
//! | end of a connection | reaction |
//! | --- | --- |
//! | the server's time limit, a lost connection, an incomplete line, silence, system suspend | resume from the last version |
//! | 410, as a response or as an event; a version newer than the server's | read again, then watch from that version |
//! | 401, 403, 429, 5xx, no connection, an invalid response | retry after a pause, without end; reported as trouble |
//!
//! The read is a list of one object: a list has the collection's version, while the object's own may be older than the oldest
//! version of the server, so that every watch from it would end in 410 again.

mod collection;
mod follow;
mod following;

pub use collection::CollectionEvent;
pub use follow::{Watch, WatchItem};
pub use following::Following;
