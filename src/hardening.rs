//! Keeps secrets in memory out of core dumps.

/// Disables core dumps for this process and its child processes (credential plugins): a crash must not write keys and
/// passwords to disk.
///
/// On Linux the process is also marked as not dumpable, because a core dump handler is called whatever the limit is
/// (core(5)); other processes of the same user can't read its memory either. Errors are ignored: the program works without.
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
