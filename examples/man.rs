//! Writes the manual pages to a folder: `cargo run --example man -- DIR`.

#[path = "man/pages.rs"]
mod pages;

use std::path::PathBuf;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let Some(folder) = env::args_os().nth(1).map(PathBuf::from) else {
        return Err(io::Error::other("usage: cargo run --example man -- DIR"));
    };
    fs::create_dir_all(&folder)?;
    for (name, text) in pages::all()? {
        fs::write(folder.join(name), text)?;
    }
    Ok(())
}
