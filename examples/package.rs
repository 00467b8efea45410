//! Packs a release: one archive for each binary, `SHA256SUMS`, and krew's manifest. With `--man`, writes the manual pages.
//!
//! `krew-manifest/build.sh` builds the binaries and calls this.

#[path = "package/archive.rs"]
mod archive;
#[path = "package/manifest.rs"]
mod manifest;
#[path = "package/pages.rs"]
mod pages;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs};

use flate2::Compression;
use manifest::{Download, Place};

const USAGE: &str = "\
Usage: cargo run --example package -- --out DIR --manifest FILE [--base-url URL] [--homepage URL] TARGET=BINARY...
       cargo run --example package -- --man DIR

  TARGET=BINARY      Rust target, and the binary that was built for it
  --out DIR          folder for the archives and SHA256SUMS
  --manifest FILE    file for krew's manifest; its name must be ess-mas.yaml
  --base-url URL     address of the folder with the archives
  --homepage URL     the plugin's web page
  --man DIR          folder for the manual pages; nothing is packed
";

fn main() -> ExitCode {
    match pack(env::args().skip(1)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}\n\n{USAGE}");
            ExitCode::FAILURE
        }
    }
}

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn pack(mut words: impl Iterator<Item = String>) -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let version = env!("CARGO_PKG_VERSION");
    let (mut out, mut manifest_file, mut binaries) = (None, None, Vec::new());
    let mut place = Place::default();
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{word} requires a value"));
        match word.as_str() {
            "--out" => out = Some(PathBuf::from(value()?)),
            "--manifest" => manifest_file = Some(PathBuf::from(value()?)),
            "--base-url" => place.base_url = value()?,
            "--homepage" => place.homepage = value()?,
            "--man" => return write_pages(Path::new(&value()?)),
            other => match other.split_once('=') {
                Some((target, binary)) if !other.starts_with('-') => {
                    binaries.push((target.to_owned(), PathBuf::from(binary)));
                }
                _ => return Err(format!("unknown argument {other}").into()),
            },
        }
    }
    let out = out.ok_or("--out is missing")?;
    let manifest_file = manifest_file.ok_or("--manifest is missing")?;
    if binaries.is_empty() {
        return Err("TARGET=BINARY is missing".into());
    }
    fs::create_dir_all(&out)?;
    let (mut downloads, mut sums) = (Vec::new(), String::new());
    for (target, binary) in binaries {
        let archive = archive::pack(root, &binary, &target, version, pages::all()?, Compression::best())?;
        fs::write(out.join(&archive.name), &archive.bytes)?;
        println!("{}  {} ({} kB)", archive.sha256, archive.name, archive.bytes.len() / 1000);
        sums.extend([&archive.sha256, "  ", &archive.name, "\n"]);
        downloads.push(Download { target, archive: archive.name, sha256: archive.sha256 });
    }
    fs::write(out.join("SHA256SUMS"), sums)?;
    let template = fs::read_to_string(root.join("krew-manifest/template.yaml"))?;
    fs::write(&manifest_file, manifest::render(&template, version, &place, &downloads)?)?;
    println!("{}", manifest_file.display());
    Ok(())
}

fn write_pages(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder)?;
    for (name, text) in pages::all()? {
        fs::write(folder.join(name), text)?;
    }
    println!("{}", folder.display());
    Ok(())
}
