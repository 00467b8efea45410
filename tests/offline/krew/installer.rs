//! Takes an archive apart as krew's installer (0.5.0) does: what it would refuse is refused here.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use serde_yaml::Value;

use super::archive::sha256;

/// Names under which `validate-krew-manifest` takes a file for a licence.
const LICENSES: [&str; 8] =
    ["license", "license.txt", "license.md", "licenses", "licenses.txt", "licenses.md", "copying", "copying.txt"];

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Installs the only platform of a manifest from a local archive, and gives the folder with the files.
pub fn install(home: &Path, manifest: &Path, archive: &Path) -> Result<PathBuf> {
    let manifest: Value = serde_yaml::from_str(&fs::read_to_string(manifest)?)?;
    let (name, spec) = (manifest["metadata"]["name"].as_str().ok_or("no name")?, &manifest["spec"]);
    let platform = &spec["platforms"][0];
    let mut bytes = Vec::new();
    File::open(archive)?.read_to_end(&mut bytes)?;
    if platform["sha256"].as_str() != Some(&sha256(&bytes)) {
        return Err("checksum does not match".into());
    }
    let store = home.join("store").join(name).join(spec["version"].as_str().ok_or("no version")?);
    fs::create_dir_all(&store)?;
    extract(&bytes, &store)?;

    let bin = platform["bin"].as_str().ok_or("no bin")?;
    let target = store.join(bin);
    if !target.is_file() || target.metadata()?.permissions().mode() & 0o111 == 0 {
        return Err(format!("{bin} is no program").into());
    }
    let has_license = fs::read_dir(&store)?
        .filter_map(io::Result::ok)
        .any(|file| LICENSES.contains(&file.file_name().to_string_lossy().to_lowercase().as_str()));
    if !has_license {
        return Err("could not find license file".into());
    }
    fs::create_dir_all(home.join("bin"))?;
    // The link's name is made from the plugin's: dashes become underscores.
    symlink(&target, home.join("bin").join(format!("kubectl-{}", name.replace('-', "_"))))?;
    Ok(store)
}

fn extract(bytes: &[u8], folder: &Path) -> Result<()> {
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Err("not a supported archive format".into());
    }
    for entry in tar::Archive::new(GzDecoder::new(bytes)).entries()? {
        let mut entry = entry?;
        let name = entry.path()?.to_string_lossy().into_owned();
        if name.contains("..") || name.starts_with(['/', '\\']) {
            return Err(format!("refusing to unpack archive with suspicious entry {name:?}").into());
        }
        let path = folder.join(&name);
        match entry.header().entry_type() {
            tar::EntryType::Directory => fs::create_dir_all(path)?,
            tar::EntryType::Regular => {
                fs::create_dir_all(path.parent().ok_or("a name without a folder")?)?;
                let mode = entry.header().mode()?;
                let mut file = File::options().create(true).write(true).truncate(true).mode(mode).open(path)?;
                io::copy(&mut entry, &mut file)?;
            }
            kind => return Err(format!("unable to handle file type {kind:?} for {name:?}").into()),
        }
    }
    Ok(())
}
