//! Completes commands of this program in messages, so that they can be copied: adds the name, the namespace and the flags of
//! this call.

use crate::cluster::{ConnectionFlags, shell_word};

/// Commands that take a deployment's name, longer ones first.
const COMMANDS: [&str; 7] = ["abort --remove", "status", "check", "prepare", "dry-run", "activate", "abort"];

/// What follows the command in a command line of this program.
pub struct CommandLine<'a> {
    pub flags: &'a ConnectionFlags,
    pub namespace: &'a str,
    pub name: &'a str,
}

impl CommandLine<'_> {
    pub fn of(&self, command: &str) -> String {
        let mut line = format!("kubectl ess-mas {command} {} -n {}", self.name, self.namespace);
        for (flag, value) in [
            ("--kubeconfig", &self.flags.kubeconfig),
            ("--context", &self.flags.context),
            ("--server", &self.flags.server),
            ("--as", &self.flags.as_user),
        ] {
            if let Some(value) = value {
                line.extend([" ", flag, " ", &shell_word(value)]);
            }
        }
        line
    }

    /// Completes each `kubectl ess-mas COMMAND` in a text, before the flags that follow it.
    pub fn complete(&self, text: &str) -> String {
        const PROGRAM: &str = "kubectl ess-mas ";
        let mut parts = text.split(PROGRAM);
        let mut completed = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let named = |command: &&&str| {
                let rest = part.strip_prefix(**command);
                rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '-'))
            };
            match COMMANDS.iter().find(named) {
                Some(command) => completed.extend([&*self.of(command), &part[command.len()..]]),
                None => completed.extend([PROGRAM, part]),
            }
        }
        completed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_to_copy_carry_the_flags_of_this_call() {
        let flags = ConnectionFlags { context: Some("my prod".into()), ..ConnectionFlags::default() };
        let line = CommandLine { flags: &flags, namespace: "n", name: "a" };
        assert_eq!(line.of("abort"), "kubectl ess-mas abort a -n n --context 'my prod'");
        assert_eq!(shell_word("it's"), r"'it'\''s'");
    }

    #[test]
    fn commands_in_findings_are_completed_wherever_they_take_a_name() {
        let flags = ConnectionFlags::default();
        let line = CommandLine { flags: &flags, namespace: "n", name: "chat" };
        for (text, completed) in [
            ("Run `kubectl ess-mas dry-run` and wait.", "Run `kubectl ess-mas dry-run chat -n n` and wait."),
            ("kubectl ess-mas prepare --tls x", "kubectl ess-mas prepare chat -n n --tls x"),
            (
                "kubectl ess-mas abort --remove; kubectl ess-mas abort",
                "kubectl ess-mas abort --remove chat -n n; kubectl ess-mas abort chat -n n",
            ),
            ("kubectl ess-mas tls check --live", "kubectl ess-mas tls check --live"),
            ("kubectl ess-mas checks", "kubectl ess-mas checks"),
            ("nothing of ours", "nothing of ours"),
        ] {
            assert_eq!(line.complete(text), completed);
        }
    }
}
