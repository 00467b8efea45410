//! A document that ends in a list, written while most of the list is still to come.

use serde::Serialize;

use super::{OutputFormat, render, yaml};
use crate::terminal::ui::OutputError;

/// Gives the pieces of what [`render`] would give for the whole: print them one after the other.
///
/// A document that is not ended is no JSON, so nobody takes a part for the whole. YAML has no end that could be missing;
/// there, everything is given at the end.
pub struct Listing {
    format: OutputFormat,
    field: &'static str,
    begun: String,
    held: String,
    count: usize,
}

impl Listing {
    /// `head` is everything of the document that comes before the list, as an object that is not empty; `field` is the list's
    /// name. Formats for a person have no general form: with them it is JSON.
    pub fn new<T: Serialize>(format: OutputFormat, head: &T, field: &'static str) -> Result<Self, OutputError> {
        Ok(Self { format, field, begun: render(format, head)?, held: String::new(), count: 0 })
    }

    pub fn element<T: Serialize>(&mut self, element: &T) -> Result<String, OutputError> {
        self.count += 1;
        if self.format == OutputFormat::Yaml {
            self.held.push_str(&yaml(&[element])?);
            return Ok(String::new());
        }
        let begin = if self.count == 1 { self.opened() + "[" } else { ",".to_owned() };
        // Line feeds stand between values only; within strings they are escaped.
        Ok(begin + &format!("\n{}", render(self.format, element)?.trim_end()).replace('\n', "\n        "))
    }

    /// Whether a part of the document was given out.
    pub fn is_begun(&self) -> bool {
        self.count > 0 && self.format != OutputFormat::Yaml
    }

    pub fn end(mut self) -> String {
        match (self.format, self.count) {
            (OutputFormat::Yaml, 0) => format!("{}{}: []\n", self.begun, self.field),
            (OutputFormat::Yaml, _) => format!("{}{}:\n{}", self.begun, self.field, self.held),
            (_, 0) => self.opened() + "[]\n}\n",
            _ => "\n    ]\n}\n".to_owned(),
        }
    }

    fn opened(&mut self) -> String {
        let head = std::mem::take(&mut self.begun);
        format!("{},\n    \"{}\": ", head.strip_suffix("\n}\n").unwrap_or(&head), self.field)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn whole(format: OutputFormat, elements: &[Value]) -> (String, String) {
        #[derive(Serialize)]
        struct Head {
            kind: &'static str,
        }
        #[derive(Serialize)]
        struct Whole<'a> {
            kind: &'static str,
            items: &'a [Value],
        }
        let mut listing = Listing::new(format, &Head { kind: "{odd}" }, "items").unwrap();
        let mut text: String = elements.iter().map(|element| listing.element(element).unwrap()).collect();
        text.push_str(&listing.end());
        (text, render(format, &Whole { kind: "{odd}", items: elements }).unwrap())
    }

    #[test]
    fn the_pieces_are_the_whole() {
        let all = [
            json!({"a": {"b": [1, {}, []]}, "text": "two\nlines\n\n  and } more"}),
            json!({}),
            json!("leaf\u{9b}"),
            json!([[1], 2]),
        ];
        for format in [OutputFormat::Json, OutputFormat::Yaml] {
            for count in 0..=all.len() {
                let (pieces, rendered) = whole(format, &all[..count]);
                assert_eq!(pieces, rendered, "{format} with {count}");
            }
        }
    }

    #[test]
    fn what_is_not_ended_cannot_be_read() {
        let mut listing = Listing::new(OutputFormat::Json, &json!({"kind": "x"}), "items").unwrap();
        let text = listing.element(&json!(1)).unwrap() + &listing.element(&json!(2)).unwrap();
        assert!(serde_json::from_str::<Value>(&text).is_err());
        let mut listing = Listing::new(OutputFormat::Yaml, &json!({"kind": "x"}), "items").unwrap();
        assert_eq!(listing.element(&json!(1)).unwrap(), "");
    }
}
