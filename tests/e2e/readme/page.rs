//! A page as a sequence of text and examples.

/// The opening of an example.
const FENCE: &str = "```console\n";
const SCENE: &str = "<!-- scene: ";

/// The whole page.
pub struct Page {
    parts: Vec<Part>,
}

enum Part {
    Text(String),
    Example(Example),
}

/// One `console` block.
pub struct Example {
    /// The scene that starts with this example.
    pub scene: Option<String>,
    /// Commands with their output.
    pub commands: Vec<Command>,
}

/// One command and its output.
pub struct Command {
    /// The command after `$ `; can have several lines.
    pub line: String,
    /// The output, with line ends.
    pub output: String,
}

impl Page {
    /// Splits a page.
    pub fn read(text: &str) -> Self {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(at) = rest.find(FENCE) {
            let (before, block) = rest.split_at(at);
            let block = &block[FENCE.len()..];
            let end = block.find("```\n").expect("the example ends");
            parts.push(Part::Text(before.to_owned()));
            parts.push(Part::Example(Example { scene: scene(before), commands: commands(&block[..end]) }));
            rest = &block[end + "```\n".len()..];
        }
        parts.push(Part::Text(rest.to_owned()));
        Self { parts }
    }

    /// The examples, from top to bottom.
    pub fn examples(&mut self) -> impl Iterator<Item = &mut Example> {
        self.parts.iter_mut().filter_map(|part| match part {
            Part::Text(_) => None,
            Part::Example(example) => Some(example),
        })
    }

    /// The page's text.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Text(plain) => text.push_str(plain),
                Part::Example(example) => {
                    text.push_str(FENCE);
                    for command in &example.commands {
                        text.push_str("$ ");
                        text.push_str(&command.line);
                        text.push('\n');
                        text.push_str(&command.output);
                    }
                    text.push_str("```\n");
                }
            }
        }
        text
    }
}

/// The minimum Role that the page shows.
pub fn role(text: &str) -> &str {
    let (_, after) = text.split_once("<!-- role -->\n```yaml\n").expect("the page has a Role");
    after.split_once("```").expect("the Role ends").0
}

/// The scene that the text since the last example starts.
fn scene(before: &str) -> Option<String> {
    let (_, after) = before.rsplit_once(SCENE)?;
    Some(after.split_once(" -->")?.0.to_owned())
}

fn commands(block: &str) -> Vec<Command> {
    let mut commands: Vec<Command> = Vec::new();
    let mut typing = false;
    for line in block.lines() {
        if let Some(typed) = line.strip_prefix("$ ") {
            commands.push(Command { line: typed.to_owned(), output: String::new() });
        } else {
            let command = commands.last_mut().expect("an example starts with a command");
            if typing {
                command.line.push('\n');
                command.line.push_str(line);
            } else {
                command.output.push_str(line);
                command.output.push('\n');
                continue;
            }
        }
        typing = line.ends_with('\\');
    }
    commands
}

#[test]
fn a_page_that_is_read_and_written_is_unchanged() {
    let text = "a\n<!-- scene: x -->\n```console\n$ one \\\n  more\nsaid\n\n$ two\n```\nb\n```console\n$ three\n```\n";
    let mut page = Page::read(text);
    let scenes: Vec<_> = page.examples().map(|example| example.scene.clone()).collect();
    assert_eq!(scenes, [Some("x".to_owned()), None]);
    let first = page.examples().next().unwrap();
    assert_eq!(first.commands[0].line, "one \\\n  more");
    assert_eq!(first.commands[0].output, "said\n\n");
    assert_eq!(first.commands[1].output, "");
    assert_eq!(page.text(), text);
}
