//! Parses a page of the documentation.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

/// The generated part of a page.
const GENERATED: [&str; 2] = ["flags", "codes"];

/// A page.
#[derive(Default)]
pub struct Page {
    /// Path from the repository's root, such as `docs/guide.md`.
    pub name: String,
    /// Lines, as an editor counts them.
    pub lines: usize,
    /// The anchors of the headings.
    pub anchors: BTreeSet<String>,
    /// Targets of links and pictures.
    pub links: Vec<String>,
    /// Code blocks.
    pub blocks: Vec<String>,
    /// Code within sentences.
    pub spans: Vec<String>,
    /// Headings, paragraphs, list items and cells without generated ones. A span of code is the word `` `…` ``.
    pub texts: Vec<String>,
}

/// A file of the repository.
pub fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// The text of a file, with `\n` as newline.
pub fn text(name: &str) -> String {
    fs::read_to_string(path(name)).unwrap().replace("\r\n", "\n")
}

/// README.md, CHANGELOG.md and the pages in docs/.
pub fn all() -> Vec<Page> {
    let docs = fs::read_dir(path("docs")).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    let docs = docs.filter(|name| Path::new(name).extension().is_some_and(|kind| kind == "md"));
    let mut names: Vec<String> = docs.map(|name| format!("docs/{name}")).collect();
    names.extend(["README.md".to_owned(), "CHANGELOG.md".to_owned()]);
    names.iter().map(|name| Page::read(name, &text(name))).collect()
}

impl Page {
    pub fn read(name: &str, text: &str) -> Self {
        let mut page = Self { name: name.to_owned(), lines: text.lines().count(), ..Self::default() };
        let mut words = String::new();
        let (mut in_block, mut generated) = (false, false);
        for event in Parser::new_ext(text, Options::ENABLE_TABLES) {
            match event {
                Event::Start(Tag::CodeBlock(_)) => {
                    in_block = true;
                    page.blocks.push(String::new());
                }
                Event::End(TagEnd::CodeBlock) => in_block = false,
                Event::Text(text) if in_block => page.blocks.last_mut().unwrap().push_str(&text),
                Event::Text(text) => words.push_str(&text),
                Event::Code(code) => {
                    words.push_str("`…`");
                    page.spans.push(code.into_string());
                }
                Event::SoftBreak | Event::HardBreak => words.push(' '),
                Event::Html(html) | Event::InlineHtml(html) => {
                    let parts = html.split(['"', '\n']).collect::<Vec<_>>();
                    let sources =
                        parts.windows(2).filter(|pair| pair[0].ends_with("src=") || pair[0].ends_with("srcset="));
                    page.links.extend(sources.map(|pair| pair[1].to_owned()));
                    for part in GENERATED {
                        generated |= html.contains(&format!("<!-- {part} -->"));
                        generated &= !html.contains(&format!("<!-- /{part} -->"));
                    }
                }
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    page.links.push(dest_url.into_string());
                }
                Event::End(TagEnd::Heading(_)) => {
                    let anchor = anchor(&heading(&words, &page.spans));
                    let again = (1..).map(|number| format!("{anchor}-{number}"));
                    let free = std::iter::once(anchor.clone()).chain(again).find(|one| !page.anchors.contains(one));
                    page.anchors.extend(free);
                    page.texts.push(std::mem::take(&mut words));
                }
                Event::Start(Tag::List(_)) | Event::End(TagEnd::Paragraph | TagEnd::Item | TagEnd::TableCell) => {
                    let words = std::mem::take(&mut words);
                    if !generated && !words.trim().is_empty() {
                        page.texts.push(words);
                    }
                }
                _ => {}
            }
        }
        page
    }

    /// The sentences, each with its number of words.
    pub fn sentences(&self) -> impl Iterator<Item = (usize, String)> {
        self.texts.iter().flat_map(|text| sentences(text))
    }
}

/// The sentences of a text, each with its number of words.
pub fn sentences(text: &str) -> Vec<(usize, String)> {
    let mut sentences = vec![Vec::new()];
    for word in text.split_whitespace() {
        sentences.last_mut().unwrap().push(word);
        if word.trim_end_matches(['"', ')', '*']).ends_with(['.', '?', '!']) {
            sentences.push(Vec::new());
        }
    }
    let count =
        |words: &[&str]| words.iter().filter(|word| word.contains(|c: char| c.is_alphanumeric() || c == '…')).count();
    sentences.into_iter().map(|words| (count(&words), words.join(" "))).collect()
}

/// A heading's text, with its spans of code.
fn heading(words: &str, spans: &[String]) -> String {
    let count = words.matches("`…`").count();
    spans[spans.len() - count..].iter().fold(words.to_owned(), |words, span| words.replacen("`…`", span, 1))
}

/// The anchor that GitHub gives to a heading.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

#[test]
fn links_code_and_sentences_of_a_page_are_parsed() {
    let text = "# A `b`, and c\n# A b and c\nOne two. Three [four `x`](f.md#y)\nfive\n\n- six\n  - seven\n\n| a | b |\n| - | - |\n| `c` d | e. f |\n\n\
        <!-- flags -->\n\n| g | h |\n| - | - |\n\n<!-- /flags -->\n\n<img src=\"p.svg\">\n\n```sh\nrun it\n```\n";
    let page = Page::read("page.md", text);
    assert_eq!(page.anchors.iter().collect::<Vec<_>>(), ["a-b-and-c", "a-b-and-c-1"]);
    assert_eq!(page.links, ["f.md#y", "p.svg"]);
    assert_eq!(page.spans, ["b", "x", "c"]);
    assert_eq!(page.blocks, ["run it\n"]);
    let sentences: Vec<(usize, String)> = page.sentences().filter(|(words, _)| *words > 0).collect();
    let words: Vec<&str> = sentences.iter().map(|(_, words)| words.as_str()).collect();
    assert_eq!(
        words,
        ["A `…`, and c", "A b and c", "One two.", "Three four `…` five", "six", "seven", "a", "b", "`…` d", "e.", "f"]
    );
    assert_eq!(sentences[3].0, 4);
}
