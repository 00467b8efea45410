use super::*;
use proptest::prelude::*;
use serde_json::{Value, json};

#[derive(Serialize)]
enum Severity {
    Blocker,
    Seen(u8),
}

#[derive(Serialize)]
struct Finding {
    severity: Severity,
    code: &'static str,
    also: Severity,
    remedy: Option<String>,
    docs: Vec<u8>,
}

const FINDING: Finding =
    Finding { severity: Severity::Blocker, code: "no", also: Severity::Seen(3), remedy: None, docs: Vec::new() };

#[test]
fn both_formats_have_the_same_tree_in_the_same_order() {
    insta::assert_snapshot!(render(OutputFormat::Json, &FINDING).unwrap(), @r#"
    {
        "severity": "Blocker",
        "code": "no",
        "also": {
            "Seen": 3
        },
        "remedy": null,
        "docs": []
    }
    "#);
    insta::assert_snapshot!(render(OutputFormat::Yaml, &FINDING).unwrap(), @r#"
    severity: Blocker
    code: "no"
    also:
      Seen: 3
    remedy: null
    docs: []
    "#);
}

#[test]
fn json_contains_no_terminal_control() {
    let text = render(OutputFormat::Json, &json!("\u{9b}2J\u{7f}\u{1b}")).unwrap();
    assert_eq!(text, "\"\\u009b2J\\u007f\\u001b\"\n");
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), json!("\u{9b}2J\u{7f}\u{1b}"));
}

fn tree() -> impl Strategy<Value = Value> {
    let odd = prop::sample::select(vec![
        "yes",
        "No",
        "on",
        "y",
        "~",
        "null",
        "1_000",
        "0777",
        "0o17",
        "12:30:45",
        "2026-11-23",
        "1e3",
        ".5",
        "+1",
        "=",
        "<<",
        "",
        " ",
        "a: b",
        "a #b",
        "- a",
        "? a",
        "%a",
        "@a",
        "`a",
        "&a",
        "*a",
        "!a",
        "|",
        ">",
        "{}",
        "[]",
        "'",
        "\"",
        "\\",
        "a\nb\n",
        "\na",
        "\ta\nb",
        "\n\ta",
        " a\nb",
        "a\n\n",
        "a \nb",
        "\t",
        "a\u{85}b",
        "a\u{2028}b",
        "\u{feff}",
        "日本",
        "---",
        "...",
        "a:",
        ":a",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<i32>().prop_map(|i| Value::from(f64::from(i) / 8.0)),
        Just(Value::from(1e21)),
        any::<String>().prop_map(Value::from),
        "[a-z0-9:_.,+~ \n#-]{0,12}".prop_map(Value::from),
        odd.prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        let key = prop_oneof!["[a-z]{1,5}", "[ -~]{0,6}", any::<String>()];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(key, inner, 0..5).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

proptest! {
    #[test]
    fn yaml_round_trips(value in tree()) {
        let text = render(OutputFormat::Yaml, &value).unwrap();
        let again: Value = serde_yaml::from_str(&text).map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
        prop_assert_eq!(again, value, "{}", text);
    }
}

/// `PyYAML` is the most common YAML 1.1 parser.
#[test]
#[cfg(unix)]
fn a_yaml_1_1_parser_reads_the_same_values() {
    use proptest::{strategy::ValueTree, test_runner::TestRunner};
    use std::io::Write;
    const SCRIPT: &str =
        "import json,sys,yaml\nfor line in sys.stdin:\n  print(json.dumps(yaml.safe_load(json.loads(line))))\n";
    let Some(python) = ess_mas_sandbox::clients::python_with_yaml().unwrap() else { return };
    let mut runner = TestRunner::deterministic();
    let values: Vec<Value> = (0..2000).map(|_| tree().new_tree(&mut runner).unwrap().current()).collect();
    let mut input = tempfile::NamedTempFile::new().unwrap();
    for value in &values {
        writeln!(input, "{}", json!(render(OutputFormat::Yaml, value).unwrap())).unwrap();
    }
    let output = std::process::Command::new(python)
        .args(["-c", SCRIPT])
        .stdin(std::fs::File::open(input.path()).unwrap())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).unwrap();
    assert_eq!(lines.lines().count(), values.len());
    for (line, value) in lines.lines().zip(&values) {
        assert_eq!(
            &serde_json::from_str::<Value>(line).unwrap(),
            value,
            "{}",
            render(OutputFormat::Yaml, value).unwrap()
        );
    }
}
