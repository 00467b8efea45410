//! One archive: the binary, the completion helper and scripts, manual pages, licences, README, changelog and docs.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::{fs, io};

use aws_lc_rs::digest::{SHA256, digest};
use flate2::Compression;
use flate2::write::GzEncoder;

/// A packed release for one target.
pub struct Archive {
    /// For example `kubectl-ess_mas-v0.1.0-x86_64-unknown-linux-musl.tar.gz`.
    pub name: String,
    /// The file's content.
    pub bytes: Vec<u8>,
    /// Its digest, 64 digits in lower case.
    pub sha256: String,
}

/// The binary's name within the archive.
pub fn program(target: &str) -> &'static str {
    if target.contains("windows") { "kubectl-ess_mas.exe" } else { "kubectl-ess_mas" }
}

/// krew expects a file `LICENSE`; the repository has one file for each licence.
const LICENSE: &str = "You may use kubectl ess-mas under the terms of the MIT license or of the Apache License 2.0, at your option.\n\
                       The files LICENSE-MIT and LICENSE-APACHE contain the texts.\n";

/// The digest in lower case, as krew requires it.
pub fn sha256(bytes: &[u8]) -> String {
    digest(&SHA256, bytes).as_ref().iter().fold(String::new(), |mut text, byte| {
        // Writing into a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The manual pages, by file name.
pub type Pages = BTreeMap<String, String>;

/// Packs one archive. The same files give the same bytes on every machine and at any time.
pub fn pack(
    root: &Path,
    binary: &Path,
    target: &str,
    version: &str,
    pages: Pages,
    effort: Compression,
) -> io::Result<Archive> {
    let mut files: Vec<(String, Vec<u8>, bool)> = vec![
        (program(target).to_owned(), fs::read(binary)?, true),
        ("LICENSE".to_owned(), LICENSE.as_bytes().to_vec(), false),
    ];
    for name in ["CHANGELOG.md", "LICENSE-APACHE", "LICENSE-MIT", "README.md"] {
        files.push((name.to_owned(), fs::read(root.join(name))?, false));
    }
    for script in ["_kubectl-ess_mas", "_kubectl-ess_mas.ps1", "kubectl-ess_mas.bash", "kubectl-ess_mas.fish"] {
        files.push((format!("completions/{script}"), fs::read(root.join("completions").join(script))?, false));
    }
    let helper = "kubectl_complete-ess_mas";
    files.push((helper.to_owned(), fs::read(root.join("completions").join(helper))?, true));
    for page in fs::read_dir(root.join("docs"))? {
        let page = page?;
        files.push((format!("docs/{}", page.file_name().to_string_lossy()), fs::read(page.path())?, false));
    }
    files.extend(pages.into_iter().map(|(name, page)| (format!("man/{name}"), page.into_bytes(), false)));
    files.sort();

    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), effort));
    for (name, content, is_program) in &files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(if *is_program { 0o755 } else { 0o644 });
        header.set_mtime(0);
        header.set_uid(0);
        header.set_gid(0);
        tar.append_data(&mut header, name, content.as_slice())?;
    }
    let bytes = tar.into_inner()?.finish()?;
    let sha256 = sha256(&bytes);
    Ok(Archive { name: format!("kubectl-ess_mas-v{version}-{target}.tar.gz"), bytes, sha256 })
}
