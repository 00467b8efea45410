//! The imports, definitions and identifiers of a file.

use std::collections::BTreeSet;

/// A parsed file.
#[derive(Default)]
pub struct File {
    /// Relative to the folder of the sources.
    pub path: String,
    /// Its top-level definitions.
    pub defined: BTreeSet<String>,
    /// Imports by their local name.
    pub uses: Vec<(String, Vec<String>)>,
    /// Glob imports.
    pub globs: Vec<Vec<String>>,
    /// Paths in the code.
    pub paths: BTreeSet<Vec<String>>,
    /// All identifiers, to resolve glob imports.
    pub words: BTreeSet<String>,
    pub macros: BTreeSet<String>,
}

impl File {
    /// Adds the tokens of a file, and returns the macros that it defines.
    pub fn read(&mut self, code: &[&str]) -> Vec<String> {
        let mut macros = Vec::new();
        // The depths of inline modules.
        let (mut depth, mut inline) = (0_usize, Vec::new());
        let mut at = 0;
        while at < code.len() {
            let next = code.get(at + 1).copied().unwrap_or_default();
            match code[at] {
                "{" => depth += 1,
                "}" => {
                    depth -= 1;
                    inline.pop_if(|began| *began == depth);
                }
                "use" if next != "<" => {
                    let end = at + code[at..].iter().position(|token| *token == ";").expect("`use` ends");
                    self.bring(&code[at + 1..end], &[], inline.len());
                    at = end;
                }
                "mod" if code.get(at + 2) == Some(&"{") => {
                    self.defined.insert(next.to_owned());
                    inline.push(depth);
                }
                "fn" | "struct" | "enum" | "union" | "const" | "static" | "type" | "trait" if depth == inline.len() => {
                    let name = if matches!(next, "fn" | "mut") { code[at + 2] } else { next };
                    self.defined.insert(name.to_owned());
                }
                "macro_rules" => {
                    self.defined.insert(code[at + 2].to_owned());
                    macros.push(code[at + 2].to_owned());
                }
                word if is_word(word) => {
                    self.words.insert(word.to_owned());
                    if next == "!" && matches!(code.get(at + 2), Some(&("(" | "[" | "{"))) {
                        self.macros.insert(word.to_owned());
                    }
                    let starts = at == 0 || !matches!(code[at - 1], "::" | "." | "mod");
                    if starts && next == "::" {
                        let mut path = vec![word.to_owned()];
                        while code.get(at + 1) == Some(&"::") && code.get(at + 2).is_some_and(|word| is_word(word)) {
                            path.push(code[at + 2].to_owned());
                            at += 2;
                        }
                        self.paths.extend(outside(path, inline.len()));
                    }
                }
                _ => {}
            }
            at += 1;
        }
        macros
    }

    /// Adds the imports of a `use` after the path `before`.
    fn bring(&mut self, tree: &[&str], before: &[String], inline: usize) {
        let mut path = before.to_vec();
        let mut at = 0;
        while at < tree.len() {
            match tree[at] {
                "::" => {}
                "{" => {
                    let (mut depth, mut from) = (0_usize, at + 1);
                    for place in at..tree.len() {
                        match tree[place] {
                            "{" => depth += 1,
                            "}" => depth -= 1,
                            _ => {}
                        }
                        if (depth == 1 && tree[place] == ",") || depth == 0 {
                            if from < place {
                                self.bring(&tree[from..place], &path, inline);
                            }
                            from = place + 1;
                        }
                    }
                    return;
                }
                "*" => {
                    self.globs.extend(outside(path, inline));
                    return;
                }
                "self" if !path.is_empty() => {}
                "as" => {
                    let name = tree[at + 1].to_owned();
                    self.uses.extend(outside(path, inline).map(|path| (name, path)));
                    return;
                }
                word => path.push(word.to_owned()),
            }
            at += 1;
        }
        if let Some(name) = path.last().cloned() {
            self.uses.extend(outside(path, inline).map(|path| (name, path)));
        }
    }
}

/// A path relative to the file, if it is in inline modules; `None` if it does not leave them.
fn outside(mut path: Vec<String>, inline: usize) -> Option<Vec<String>> {
    for _ in 0..inline {
        match path.first()?.as_str() {
            "super" => drop(path.remove(0)),
            "self" => return None,
            _ => break,
        }
    }
    (!path.is_empty()).then_some(path)
}

fn is_word(token: &str) -> bool {
    token.starts_with(|first: char| first.is_alphabetic() || first == '_')
}
