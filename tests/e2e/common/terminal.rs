//! A command on a pseudo-terminal, with typed input.

use std::process::Command;

use rexpect::session::{PtySession, spawn_command};

pub const PATIENCE: Option<u64> = Some(30_000);

/// Waits for each text, then types the input next to it; finally expects this exit code.
pub async fn dialogue(command: Command, steps: Vec<(&'static str, &'static str)>, code: i32) -> String {
    tokio::task::spawn_blocking(move || {
        let mut session = spawn_command(command, PATIENCE).unwrap();
        let mut shown = String::new();
        for (text, keys) in steps {
            shown += &session.exp_string(text).unwrap_or_else(|error| panic!("waiting for {text:?}: {error}\n{shown}"));
            shown += text;
            session.send(keys).unwrap();
            session.flush().unwrap();
        }
        shown += &session.exp_eof().unwrap();
        assert_eq!(exit_code(&session), Some(code), "{shown}");
        shown
    })
    .await
    .unwrap()
}

pub fn exit_code(session: &PtySession) -> Option<i32> {
    match session.process().wait() {
        Ok(rexpect::process::WaitStatus::Exited(_, code)) => Some(code),
        _ => None,
    }
}
