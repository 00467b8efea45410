//! Where requests go and as whom, for sentences.

use std::fmt;

/// Where the requests go and as whom: what sentences and hints name. No secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Without anything that may be secret, as is the proxy.
    pub server: String,
    pub proxy: Option<String>,
    /// The kubeconfig context in use; `None` inside a pod or with `--server` alone.
    pub context: Option<String>,
    /// `--as`
    pub impersonating: Option<String>,
    pub impersonating_groups: Vec<String>,
}

impl Place {
    /// ` --context NAME` for a kubectl line, or nothing.
    pub fn context_flag(&self) -> String {
        let flag = |context: &String| format!(" --context {}", shell_word(context));
        self.context.as_ref().map(flag).unwrap_or_default()
    }

    /// ` --as USER --as-group GROUP` for a kubectl line, or nothing.
    pub fn as_flags(&self) -> String {
        let user = self.impersonating.iter().map(|user| format!(" --as {}", shell_word(user)));
        user.chain(self.impersonating_groups.iter().map(|group| format!(" --as-group {}", shell_word(group)))).collect()
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "The API server {}", self.server)?;
        match &self.context {
            Some(context) => write!(f, " (kubeconfig context {context})"),
            None => Ok(()),
        }
    }
}

/// One word of a command that can be copied, quoted where a shell would read it otherwise.
pub fn shell_word(text: &str) -> String {
    let safe = !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_./:@%+=,".contains(c));
    if safe { text.to_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}
