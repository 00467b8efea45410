use super::*;

/// The candidates for the last word; looked-up values are named after their kind.
fn words(line: &str) -> String {
    let typed: Vec<String> = line.split(' ').map(str::to_owned).collect();
    let prefix = typed.last().and_then(|last| last.rsplit('=').next()).unwrap_or_default().to_owned();
    let text = complete(&typed, move |live, _| vec![format!("{prefix}[{live:?}]")]);
    let (candidates, directive) = text.trim_end().rsplit_once('\n').unwrap_or(("", text.trim_end()));
    let mut words: Vec<&str> = candidates.lines().filter_map(|line| line.split('\t').next()).collect();
    words.extend((directive == ":0").then_some("[files]"));
    words.join(" ")
}

#[test]
fn the_first_word_completes_to_a_command() {
    for name in ["status", "check", "prepare", "dry-run", "activate", "abort", "tls", "completion", "version"] {
        assert!(words("").split(' ').any(|word| word == name), "{name}: {}", words(""));
    }
    assert_eq!(words("sta"), "status");
    assert_eq!(words("--context prod sta"), "status", "flags may precede the command");
    assert_eq!(words("tls "), "issue request check");
    assert_eq!(words("tls is"), "issue");
}

#[test]
fn the_deployment_name_is_completed_once() {
    assert_eq!(words("status "), "[Deployments]");
    assert_eq!(words("status fi"), "fi[Deployments]");
    assert_eq!(words("status first-element "), "");
    assert_eq!(words("activate -n chat --timeout 5m fi"), "fi[Deployments]");
    assert_eq!(words("activate --confirm "), "[Deployments]");
    assert_eq!(words("dry-run -- "), "[Deployments]");
    assert_eq!(words("version "), "");
}

#[test]
fn flag_values_are_completed_in_every_notation() {
    assert_eq!(words("status -o "), "table wide json yaml");
    assert_eq!(words("status --output j"), "json");
    assert_eq!(words("status --output=j"), "json");
    assert_eq!(words("prepare --tls c"), "certmanager certfile");
    assert_eq!(words("status -n "), "[Namespaces]");
    assert_eq!(words("status --namespace=el"), "el[Namespaces]");
    assert_eq!(words("--context "), "[Contexts]");
    assert_eq!(words("check --kubeconfig "), "[files]");
    assert_eq!(words("tls issue --host a --out "), "[files]");
    assert_eq!(words("prepare --host "), "");
    assert_eq!(words("completion z"), "zsh");
}

#[test]
fn flags_are_completed_after_a_dash() {
    assert!(words("dry-run --").contains("--preview") && words("dry-run -").contains("--via-owner"));
    assert_eq!(words("dry-run --pre"), "--preview");
    assert_eq!(words("dry-run --names"), "--namespace");
    // A switch with an optional value takes none from the next word.
    assert_eq!(words("dry-run --wait fi"), "fi[Deployments]");
}

#[test]
fn connection_flags_of_an_unfinished_line_are_used() {
    let flags = |line: &str| {
        let typed: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let (send, receive) = std::sync::mpsc::channel();
        complete(&typed, move |_, flags| {
            send.send(flags.clone()).unwrap();
            Vec::new()
        });
        receive.recv().unwrap()
    };
    let found = flags("status --kubeconfig=/tmp/k --context prod -n chat ");
    assert_eq!((found.kubeconfig.as_deref(), found.context.as_deref()), (Some("/tmp/k"), Some("prod")));
    assert_eq!(found.namespace.as_deref(), Some("chat"));
    assert_eq!(flags("--context prod status --nonsense --as me ").context.as_deref(), Some("prod"));
    assert_eq!(flags("status -n "), ConnectionFlags::default());
    assert_eq!(flags("status -s https://a:1 ").server.as_deref(), Some("https://a:1"));
    assert_eq!(flags("tls check --context c --secret x -n ").context.as_deref(), Some("c"));
}

#[test]
fn looked_up_values_begin_with_the_typed_prefix() {
    let typed = ["status", "fi"].map(str::to_owned);
    let answer = complete(&typed, |_, _| vec!["first-element".to_owned(), "second".to_owned()]);
    assert_eq!(answer, "first-element\n:4\n");
}

#[test]
fn the_output_follows_kubectls_completion_protocol() {
    let answer = |line: &str| complete(&line.split(' ').map(str::to_owned).collect::<Vec<_>>(), |_, _| Vec::new());
    assert_eq!(answer("status --w"), "--watch\tPrint a line for every change until interrupted\n:4\n");
    assert!(answer("check --kubeconfig ").ends_with(":0\n"));
}

#[test]
fn no_command_line_causes_a_panic() {
    for line in [
        "",
        "-",
        "--",
        "-- ",
        "---",
        "-=",
        "--=",
        "--=x",
        "-nx",
        "-n= ",
        "é",
        "-é",
        "status é -ü",
        "tls check --",
        "-o",
    ] {
        let _ = words(line);
    }
    assert_eq!(complete(&[], |_, _| Vec::new()), ":4\n");
}
