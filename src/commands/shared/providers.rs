//! The identity providers and their redirect URIs.

use crate::deployment::mas_redirect_uri;
use crate::session::status::ProviderPart;
use crate::terminal::table::{Cell, Column, Table};
use crate::terminal::{Line, OutputError, Stream, Style, Ui};

/// Prints the identity providers as a table, or below each other in a narrow terminal; URIs are never truncated or wrapped.
/// `done` means that the migration is complete, so that MAS's URIs are in use.
pub fn providers(ui: &Ui, providers: &[ProviderPart], done: bool) -> Result<(), OutputError> {
    let options = ui.render_options(Stream::Out);
    let piped = options.columns.is_none();
    let mut table = Table::new([Column::new("Identity provider"), Column::new("Use"), Column::new("Redirect URI")]);
    for provider in providers {
        let name = name(provider);
        // A terminal shows the name once; in a pipe each row is complete.
        let again = if piped { name } else { "" };
        for (name, (usage, uri)) in [name, again].into_iter().zip(uris(provider, done)) {
            table.row([Cell::from(name), Cell::from(usage), Cell::copyable(uri)]);
        }
    }
    if table.fits(options) {
        return ui.table(&table, false);
    }
    for provider in providers {
        ui.page(Line::new().text("Identity provider ").styled(Style::Heading, name(provider)))?;
        for (usage, uri) in uris(provider, done) {
            ui.print(format!("  {usage}   {uri}"))?;
        }
    }
    Ok(())
}

fn name(provider: &ProviderPart) -> &str {
    provider.name.as_deref().or(provider.issuer.as_deref()).unwrap_or(&provider.idp_id)
}

fn uris(provider: &ProviderPart, done: bool) -> [(&'static str, String); 2] {
    let (synapse, mas) = if done { ("old", "now") } else { ("now", "add") };
    let present = provider.current_redirect_uri.as_deref().unwrap_or("unknown: the spec has no host for Synapse");
    let template = || mas_redirect_uri("<host of MAS>", &provider.idp_id);
    [(synapse, present.to_owned()), (mas, provider.mas_redirect_uri.clone().unwrap_or_else(template))]
}
