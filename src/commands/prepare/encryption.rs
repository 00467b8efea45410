//! Another Secret must not bring another encryption secret once MAS has been deployed.
//!
//! The guide: it "must not change after installation". A new name for the Secret would be a way around that.

use crate::checks::Known;
use crate::error::{Exit, Failure};
use crate::plan::{MasSettings, SecretContents, SecretKeys};
use crate::session::Session;
use crate::terminal::Next;

/// Refuses a Secret of another name than the deployed one's, unless it holds the same encryption secret already.
pub async fn stays(
    session: &Session,
    settings: &MasSettings,
    present: Option<&SecretContents>,
    keys: &SecretKeys,
) -> Result<(), Failure> {
    let key = &keys.encryption_secret;
    let chosen = &settings.secret_name;
    let Some(deployed) = session.deployment.mas_secret_name().filter(|name| name != chosen) else { return Ok(()) };
    let before = match session.read_secret(deployed).await {
        Known::Known(Some(secret)) => secret.data.get(key).cloned(),
        Known::Known(None) => None,
        Known::Unreadable(why) => {
            return Err(Failure::new(
                Exit::Failed,
                format!(
                    "Secret {deployed}, which MAS has been deployed with, has to be read first: {why}; nothing was changed"
                ),
            ));
        }
    };
    let Some(before) = before else { return Ok(()) };
    if present.and_then(|secret| secret.data.get(key)) == Some(&before) {
        return Ok(());
    }
    Err(Failure::new(
        Exit::Usage,
        format!(
            "--secret-name: MAS has been deployed with Secret {deployed}, and {key} cannot change after that; Secret {chosen} does not hold \
             the same one. Nothing was changed"
        ),
    )
    .next(Next::new(format!(
        "Leave --secret-name out, or first make Secret {chosen} with the same {key} as in {deployed}."
    ))))
}
