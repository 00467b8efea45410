//! What a process that holds secrets does not leave behind.

/// Turns core dumps off for this process: a crash must not put keys and passwords on a disk. The limit is also that of the
/// programs it starts (credential plugins).
///
/// On Linux the process is marked as not dumpable as well, since a handler that dumps are piped to is called whatever the limit
/// is (core(5)); other processes of the same user then cannot read its memory either. Where the system refuses, the program
/// goes on: it would be of no help to anybody if it did not.
pub fn forbid_core_dumps() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, setrlimit};
        let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    }
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}
