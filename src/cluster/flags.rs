//! What was asked for on the command line about the connection.

/// kubectl's connection flags, with kubectl's names and meaning. An empty text counts as not given, as in kubectl.
///
/// There is no token: argv is public.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConnectionFlags {
    /// `--kubeconfig`: this file instead of the list in `KUBECONFIG`.
    pub kubeconfig: Option<String>,
    /// `--context`
    pub context: Option<String>,
    /// `--cluster`
    pub cluster: Option<String>,
    /// `--user`
    pub user: Option<String>,
    /// `-n/--namespace`
    pub namespace: Option<String>,
    /// `-s/--server`
    pub server: Option<String>,
    /// `--tls-server-name`
    pub tls_server_name: Option<String>,
    /// `--insecure-skip-tls-verify`
    pub insecure_skip_tls_verify: bool,
    /// `--certificate-authority`, a file
    pub certificate_authority: Option<String>,
    /// `--client-certificate`, a file
    pub client_certificate: Option<String>,
    /// `--client-key`, a file
    pub client_key: Option<String>,
    /// `--as`
    pub as_user: Option<String>,
    /// `--as-uid`
    pub as_uid: Option<String>,
    /// `--as-group`, repeatable
    pub as_groups: Vec<String>,
    /// `--request-timeout`, as typed: a Go duration or plain seconds, `0` for no limit
    pub request_timeout: Option<String>,
}
