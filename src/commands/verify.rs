//! `verify`: checks MAS, Synapse and the identity providers over the network; writes nothing.

use super::shared::output::conclude;
use crate::checks::endpoints::{EndpointPhase, GivenToken};
use crate::cli::VerifyArgs;
use crate::error::{Exit, Failure};
use crate::secrets::{SecretText, without_newline};
use crate::session::endpoints::{self, EndpointAccess, TestAccount, Through};
use crate::session::inputs::{one_from_stdin, read_file, read_resolve, read_roots};
use crate::session::reading::Extent;
use crate::session::{Context, Session};
use crate::terminal::progress::Waiting;

pub async fn exec(context: &Context, args: &VerifyArgs) -> Result<Exit, Failure> {
    let mut ways = ways(args)?;
    let session = Session::open(context, args.name.as_deref()).await?;
    if args.through_cluster {
        ways.through = Some(Through::open(&session.cluster, &session.target).await?);
    }
    let snapshot = session.gather(Extent::Check).await;
    let expected = endpoints::expected(&session, &snapshot, &ways);
    context.ui.status(format!("Checking {} over the network: {}", session.place(), words(expected.phase)));
    let now = context.ui.terminal.now();
    let progress = context.ui.progress();
    let limit = if ways.login.is_some() { "half a minute" } else { "ten seconds" };
    progress
        .waiting(Waiting::new(format!("checking MAS, Synapse and the identity providers; takes at most {limit}"), now));
    let findings = endpoints::check(&expected, &ways, now).await;
    drop(progress);
    let code = conclude(&context.ui, args.output.format, Some(&session.target), &findings)?;
    if expected.mas_host.is_some() && expected.phase == EndpointPhase::Deployed {
        context.ui.status(endpoints::NO_LOGINS);
    }
    Ok(code)
}

fn words(phase: EndpointPhase) -> &'static str {
    match phase {
        EndpointPhase::Before => "legacy authentication, MAS is not deployed yet",
        EndpointPhase::Deployed => "MAS is deployed and not active, users log in through Synapse",
        EndpointPhase::Migrating => "activated, but not migrated; Synapse is stopped or stopping",
        EndpointPhase::Active => "migrated, users log in to MAS",
    }
}

fn ways(args: &VerifyArgs) -> Result<EndpointAccess, Failure> {
    let resolve = read_resolve(&args.resolve)?;
    one_from_stdin(&[&args.ca_certificate, &args.token_file, &args.login_file])?;
    let roots = args.ca_certificate.as_deref().map(read_roots).transpose()?;
    let (token, given) = args.token_file.as_deref().map(read_token).transpose()?.unzip();
    let login = args.login_file.as_deref().map(read_login).transpose()?;
    Ok(EndpointAccess { resolve, roots, token, given, login, through: None })
}

/// Reads the account of `--login-file`.
fn read_login(path: &str) -> Result<TestAccount, Failure> {
    let bytes = read_file("--login-file", path)?;
    let wrong = |what: &str| {
        Failure::usage(format!(
            "--login-file: the file {what}; write the user on its first line and the password on its second"
        ))
    };
    let text = std::str::from_utf8(without_newline(bytes.expose())).map_err(|_| wrong("is not UTF-8 text"))?;
    if text.starts_with('\u{feff}') {
        return Err(wrong("starts with a byte order mark"));
    }
    if text.contains('\0') {
        return Err(wrong("contains a NUL byte"));
    }
    let lines: Vec<&str> = text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)).collect();
    match lines[..] {
        [user, password] if !user.trim().is_empty() && !password.is_empty() => {
            Ok(TestAccount { user: user.trim().to_owned(), password: SecretText::from(password) })
        }
        _ => Err(wrong("does not hold two lines")),
    }
}

/// Reads an access token, optionally followed by the expected user and device.
fn read_token(path: &str) -> Result<(SecretText, GivenToken), Failure> {
    let bytes = read_file("--token-file", path)?;
    let text = std::str::from_utf8(bytes.expose()).unwrap_or_default();
    let words: Vec<&str> = text.split_ascii_whitespace().take(4).collect();
    let is_token = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic()) && !text.starts_with('@');
    let is_user = |text: &str| text.starts_with('@') && text.contains(':');
    let (token, user, device) = match words[..] {
        [token] if is_token(token) => (token, None, None),
        [token, user] if is_token(token) && is_user(user) => (token, Some(user), None),
        [token, user, device] if is_token(token) && is_user(user) => (token, Some(user), Some(device)),
        _ => {
            return Err(Failure::usage(
                "--token-file: the file contains no access token; write only the token, optionally followed by its user (@name:server) and \
                 device",
            ));
        }
    };
    let owned = |text: Option<&str>| text.map(str::to_owned);
    let given = GivenToken { user: owned(user), device: owned(device), ..GivenToken::read(token) };
    Ok((SecretText::from(token), given))
}
