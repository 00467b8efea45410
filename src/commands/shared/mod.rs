//! What several commands give to the person or to a script in the same form.

pub mod key_files;
pub mod new_files;
pub mod output;
pub mod providers;
