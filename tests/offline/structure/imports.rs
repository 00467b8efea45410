//! The imports among the files of `src`: `use`, also grouped, and paths in the code. A name that a `mod.rs` re-exports counts for the
//! file that defines it. Code for tests is excluded.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use super::file::File;
use super::tokens::{program, tokens};

/// The files of a crate by their module's path: `checks/tls.rs` is `["checks", "tls"]`, the root is `[]`.
pub struct Sources {
    files: BTreeMap<Vec<String>, File>,
    /// The modules of macros, which are visible everywhere.
    macros: BTreeMap<String, Vec<String>>,
}

/// The names that a file imports from another one, by both paths.
pub type Arrows = BTreeMap<(String, String), BTreeSet<String>>;

impl Sources {
    /// Reads all Rust files below a folder.
    pub fn read(root: &Path) -> Self {
        let mut texts = Vec::new();
        let mut folders = vec![root.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    let name = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
                    texts.push((name, fs::read_to_string(&path).unwrap()));
                }
            }
        }
        Self::of(texts.iter().map(|(name, text)| (name.as_str(), text.as_str())))
    }

    /// Reads files from names and texts.
    pub fn of<'a>(texts: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut all = BTreeMap::new();
        let mut tested = BTreeSet::new();
        let mut macros = BTreeMap::new();
        for (name, text) in texts {
            let module = module(name);
            let mut file = File { path: name.to_owned(), ..File::default() };
            let code = tokens(text);
            let (kept, left_out) = program(&code);
            tested.extend(left_out.into_iter().map(|test| [module.as_slice(), &[test]].concat()));
            for made in file.read(&kept) {
                macros.insert(made, module.clone());
            }
            all.insert(module, file);
        }
        all.retain(|module: &Vec<String>, _| !(1..=module.len()).any(|length| tested.contains(&module[..length])));
        Self { files: all, macros }
    }

    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.values().map(|file| file.path.as_str())
    }

    /// All imports.
    pub fn arrows(&self) -> Arrows {
        let mut arrows = Arrows::new();
        for (module, file) in &self.files {
            let mut found = Vec::new();
            for path in file.uses.iter().map(|(_, path)| path).chain(&file.paths) {
                found.push((self.leaf(module, path, 0), path.last().unwrap()));
            }
            for glob in &file.globs {
                let Some((target, rest)) = self.start(module, glob) else { continue };
                let Some(Place::Module(target)) = self.walk(&target, rest, 0) else { continue };
                for word in &file.words {
                    if self.has(&target, word) {
                        found.push((self.walk(&target, std::slice::from_ref(word), 0), word));
                    }
                }
            }
            for (place, name) in found {
                let Some(Place::Item(leaf)) = place else { continue };
                if leaf != *module {
                    let arrow = (file.path.clone(), self.files[&leaf].path.clone());
                    arrows.entry(arrow).or_default().insert(name.clone());
                }
            }
        }
        arrows
    }

    /// The full paths of names from other crates, imported or not; macros end in `!`.
    pub fn foreign(&self) -> BTreeMap<&str, BTreeSet<String>> {
        let mut all = BTreeMap::new();
        for (module, file) in &self.files {
            let mut found: BTreeSet<String> = file.macros.iter().map(|name| format!("{name}!")).collect();
            for path in file.uses.iter().map(|(_, path)| path).chain(&file.globs).chain(&file.paths) {
                let imported = file.uses.iter().find(|(here, whole)| *here == path[0] && whole[0] != path[0]);
                let whole = imported.map_or_else(|| path.clone(), |(_, whole)| [whole, &path[1..]].concat());
                if self.start(module, &whole).is_none() {
                    found.insert(whole.join("::"));
                }
            }
            all.insert(file.path.as_str(), found);
        }
        all
    }

    /// Resolves a path in `module`.
    fn leaf(&self, module: &[String], path: &[String], depth: usize) -> Option<Place> {
        let (start, rest) = self.start(module, path)?;
        self.walk(&start, rest, depth)
    }

    /// The module at the start of a path, and the rest; `None` for another crate.
    fn start<'a>(&self, module: &[String], path: &'a [String]) -> Option<(Vec<String>, &'a [String])> {
        let mut place = module.to_vec();
        let mut rest = path;
        match path.first()?.as_str() {
            "crate" => (place, rest) = (Vec::new(), &path[1..]),
            "self" => rest = &path[1..],
            "super" => {}
            first if self.has(module, first) => return Some((place, rest)),
            _ => return None,
        }
        while rest.first().is_some_and(|one| one == "super") {
            place.pop()?;
            rest = &rest[1..];
        }
        Some((place, rest))
    }

    /// Whether a module defines or imports a name.
    fn has(&self, module: &[String], name: &str) -> bool {
        let Some(file) = self.files.get(module) else { return false };
        file.defined.contains(name)
            || file.uses.iter().any(|(here, _)| here == name)
            || self.child(module, name).is_some()
    }

    fn child(&self, module: &[String], name: &str) -> Option<Vec<String>> {
        let child = [module, &[name.to_owned()]].concat();
        self.files.contains_key(&child).then_some(child)
    }

    /// Resolves a path from a module.
    fn walk(&self, module: &[String], path: &[String], depth: usize) -> Option<Place> {
        assert!(depth < 50, "{module:?} {path:?} leads nowhere");
        let file = self.files.get(module)?;
        let Some((name, rest)) = path.split_first() else { return Some(Place::Module(module.to_vec())) };
        let child = self.child(module, name);
        // A function and a module may share a name; only a module has something below it.
        if let (Some(child), false) = (&child, rest.is_empty()) {
            return self.walk(child, rest, depth);
        }
        if file.defined.contains(name) {
            return Some(Place::Item(module.to_vec()));
        }
        if let Some((_, path)) =
            file.uses.iter().find(|(here, path)| here == name && path != std::slice::from_ref(name))
        {
            return match self.leaf(module, path, depth + 1)? {
                Place::Module(target) => self.walk(&target, rest, depth + 1),
                item @ Place::Item(_) => Some(item),
            };
        }
        if let Some(child) = child {
            return Some(Place::Module(child));
        }
        for glob in &file.globs {
            if let Some(Place::Module(target)) = self.leaf(module, glob, depth + 1)
                && self.has(&target, name)
            {
                return self.walk(&target, path, depth + 1);
            }
        }
        if let (true, Some(maker)) = (module.is_empty(), self.macros.get(name)) {
            return Some(Place::Item(maker.clone()));
        }
        Some(Place::Item(module.to_vec()))
    }
}

/// The target of a path.
enum Place {
    /// A module; its names are resolved where they are used.
    Module(Vec<String>),
    /// A definition of this module.
    Item(Vec<String>),
}

/// The module's path of a file.
fn module(name: &str) -> Vec<String> {
    let mut path: Vec<String> = name.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    if path.last().is_some_and(|last| last == "mod") || path == ["lib"] {
        path.pop();
    }
    path
}
