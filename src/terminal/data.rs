//! The formats `-o json` and `-o yaml`.

use std::io;

use clap::ValueEnum;
use serde::Serialize;

/// A failed write to stdout, for example to a full disk. A reader that exits early is no error.
#[derive(Debug, thiserror::Error)]
#[error("could not write the output")]
pub struct OutputError(#[from] io::Error);

/// `-o`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    #[default]
    Table,
    Wide,
    Json,
    Yaml,
}

impl OutputFormat {
    pub fn is_data(self) -> bool {
        matches!(self, Self::Json | Self::Yaml)
    }
}

/// Renders `value` with a trailing newline; as JSON if the format is a table.
pub fn render<T: Serialize>(format: OutputFormat, value: &T) -> Result<String, OutputError> {
    match format {
        OutputFormat::Yaml => yaml(value),
        _ => json(value).map_err(|error| OutputError(error.into())),
    }
}

/// JSON with kubectl's indentation of four. Escapes terminal control characters.
fn json<T: Serialize>(value: &T) -> Result<String, serde_json::Error> {
    let mut bytes = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    value.serialize(&mut serde_json::Serializer::with_formatter(&mut bytes, formatter))?;
    let text = String::from_utf8_lossy(&bytes) + "\n";
    // serde_json escapes U+0000 to U+001F. DEL and the C1 set act on some terminals; they occur only within strings.
    let present = ('\u{7f}'..='\u{9f}').filter(|&c| text.contains(c));
    Ok(present.fold(text.to_string(), |text, c| text.replace(c, &format!("\\u{:04x}", u32::from(c)))))
}

/// YAML that YAML 1.1 and 1.2 parsers read alike, with a trailing newline.
pub fn yaml<T: Serialize>(value: &T) -> Result<String, OutputError> {
    let text = |blocks: bool| {
        let options = serde_saphyr::ser_options! { prefer_block_scalars: blocks, folded_wrap_chars: usize::MAX };
        serde_saphyr::to_string_with_options(value, options).map_err(|error| OutputError(io::Error::other(error)))
    };
    let with_blocks = text(true)?;
    // libyaml, and so Go, refuses a block that starts with a tab. Only a line in a block can start with one.
    let refused = with_blocks.lines().any(|line| line.trim_start_matches(' ').starts_with('\t'));
    if refused { text(false) } else { Ok(with_blocks) }
}

#[cfg(test)]
mod tests;
