//! Tells the program its version, and converts the data files in `src` to JSON, which it reads ten times as fast as YAML.

#[path = "build/version.rs"]
mod version;

use std::path::{Path, PathBuf};
use std::{env, fs};

/// In `src`.
const TABLES: [&str; 7] = [
    "checks/findings.yaml",
    "checks/databases/findings.yaml",
    "checks/endpoints/findings.yaml",
    "checks/synapse/settings.yaml",
    "diagnosis/causes.yaml",
    "x509/formats.yaml",
    "x509/problems.yaml",
];

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    version::tell();
    for table in TABLES {
        let converted =
            PathBuf::from(env::var_os("OUT_DIR").expect("Cargo sets it")).join(table).with_extension("json");
        fs::create_dir_all(converted.parent().expect("it is in a folder")).expect("the folder can be created");
        fs::write(&converted, json(&Path::new("src").join(table))).expect("the table can be written");
    }
}

/// The YAML file as JSON.
fn json(table: &Path) -> String {
    println!("cargo:rerun-if-changed={}", table.display());
    let text = fs::read_to_string(table).expect("the table can be read");
    let tree: serde_json::Value =
        serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", table.display()));
    tree.to_string()
}
