//! The `tar.gz` archive of `report`.

use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;

#[derive(Debug, Default)]
pub struct Archive {
    /// Paths and texts.
    pub files: Vec<(String, String)>,
}

impl Archive {
    /// Adds a file. Replaces special characters in its path.
    pub fn add(&mut self, path: &str, text: String) {
        let mut name = path_of(path);
        if self.files.iter().any(|(other, _)| *other == name) {
            name = format!("{name}.{}", self.files.len());
        }
        self.files.push((name, text));
    }

    /// Writes all files below one folder, with the modification time `at`.
    pub fn write(&self, folder: &str, at: jiff::Timestamp, out: impl Write) -> io::Result<()> {
        let mut builder = tar::Builder::new(GzEncoder::new(out, Compression::default()));
        for (path, text) in &self.files {
            let mut header = tar::Header::new_gnu();
            header.set_size(text.len() as u64);
            header.set_mode(0o600);
            header.set_mtime(u64::try_from(at.as_second()).unwrap_or(0));
            builder.append_data(&mut header, format!("{}/{path}", path_of(folder)), text.as_bytes())?;
        }
        builder.into_inner()?.finish()?.flush()
    }
}

/// A relative path without `..` and special characters.
fn path_of(path: &str) -> String {
    let part = |part: &str| -> String {
        part.chars().map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' }).collect()
    };
    let parts = path.split('/').map(part).filter(|part| !part.is_empty() && part != "." && part != "..");
    parts.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    fn unpacked(bytes: &[u8]) -> Vec<(String, String)> {
        let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(bytes));
        let entries = archive.entries().unwrap().map(|entry| {
            let mut entry = entry.unwrap();
            assert_eq!(entry.header().mode().unwrap(), 0o600);
            let path = entry.path().unwrap().display().to_string();
            let mut text = String::new();
            entry.read_to_string(&mut text).unwrap();
            (path, text)
        });
        entries.collect()
    }

    #[test]
    fn all_files_are_below_one_folder() {
        let mut archive = Archive::default();
        let long = format!("logs/{}/{}.log", "n".repeat(63), "p".repeat(200));
        for (path, text) in [("a.txt", "one"), ("../../etc/x y", "two"), (long.as_str(), "three"), ("a.txt", "four")] {
            archive.add(path, text.to_owned());
        }
        let mut bytes = Vec::new();
        archive.write("report-1", jiff::Timestamp::UNIX_EPOCH, &mut bytes).unwrap();
        let files = unpacked(&bytes);
        let paths: Vec<&str> = files.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(paths, ["report-1/a.txt", "report-1/etc/x_y", &format!("report-1/{long}"), "report-1/a.txt.3"]);
        assert_eq!(files[3].1, "four");
    }
}
