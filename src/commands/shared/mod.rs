//! Output and files that several commands share.

pub mod key_files;
pub mod new_files;
pub mod output;
