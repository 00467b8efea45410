use super::*;

/// The words that may stand at the end, with what has to be looked up in brackets.
fn words(line: &str) -> String {
    let typed: Vec<String> = line.split(' ').map(str::to_owned).collect();
    let completion = complete(&typed);
    let mut words: Vec<String> = completion.candidates.iter().map(|one| one.word.clone()).collect();
    words.extend(completion.live.map(|live| format!("[{live:?} {:?}]", completion.prefix)));
    words.extend(completion.files.then(|| "[files]".to_owned()));
    words.join(" ")
}

#[test]
fn commands_at_the_beginning() {
    for name in ["status", "check", "prepare", "dry-run", "activate", "abort", "tls", "completion", "version"] {
        assert!(words("").split(' ').any(|word| word == name), "{name}: {}", words(""));
    }
    assert_eq!(words("sta"), "status");
    assert_eq!(words("--context prod sta"), "status", "flags may stand before the command");
    assert_eq!(words("tls "), "issue request check");
    assert_eq!(words("tls is"), "issue");
    assert_eq!(words("nonsense "), "");
}

#[test]
fn names_where_a_name_is_wanted_and_only_once() {
    assert_eq!(words("status "), "[Deployments \"\"]");
    assert_eq!(words("status fi"), "[Deployments \"fi\"]");
    assert_eq!(words("status first-element "), "");
    assert_eq!(words("activate -n chat --timeout 5m fi"), "[Deployments \"fi\"]");
    assert_eq!(words("activate --confirm "), "[Deployments \"\"]");
    assert_eq!(words("dry-run -- "), "[Deployments \"\"]");
    assert_eq!(words("version "), "");
}

#[test]
fn values_after_a_flag_in_every_form() {
    assert_eq!(words("status -o "), "table wide json yaml");
    assert_eq!(words("status --output j"), "json");
    assert_eq!(words("status --output=j"), "json");
    assert_eq!(words("prepare --tls c"), "certmanager certfile");
    assert_eq!(words("status -n "), "[Namespaces \"\"]");
    assert_eq!(words("status --namespace=el"), "[Namespaces \"el\"]");
    assert_eq!(words("--context "), "[Contexts \"\"]");
    assert_eq!(words("check --cluster "), "[Clusters \"\"]");
    assert_eq!(words("check --user "), "[Users \"\"]");
    assert_eq!(words("check --kubeconfig "), "[files]");
    assert_eq!(words("tls issue --host a --out "), "[files]");
    assert_eq!(words("prepare --host "), "");
    assert_eq!(words("completion z"), "zsh");
}

#[test]
fn flags_after_a_dash_and_each_only_once() {
    assert!(words("dry-run --").contains("--preview") && words("dry-run -").contains("--via-owner"));
    assert_eq!(words("dry-run --pre"), "--preview");
    assert_eq!(words("dry-run --preview --pre"), "");
    assert_eq!(words("dry-run --accept x --acc"), "--accept", "this one may be repeated");
    assert_eq!(words("dry-run --names"), "--namespace");
    assert_eq!(words("dry-run -n x --names"), "");
    // A switch with an optional value takes none from the next word.
    assert_eq!(words("dry-run --wait fi"), "[Deployments \"fi\"]");
    assert_eq!(words("status -Aw -"), words("status -w -A -"));
}

#[test]
fn the_connection_of_a_line_that_is_not_finished() {
    let flags = |line: &str| connection(&line.split(' ').map(str::to_owned).collect::<Vec<_>>());
    let found = flags("status --kubeconfig=/tmp/k --context prod -n chat ");
    assert_eq!((found.kubeconfig.as_deref(), found.context.as_deref()), (Some("/tmp/k"), Some("prod")));
    assert_eq!(found.namespace.as_deref(), Some("chat"));
    assert_eq!(flags("--context prod status --nonsense --as me ").context.as_deref(), Some("prod"));
    assert_eq!(flags("status -n "), ConnectionFlags::default());
    assert_eq!(flags("-s https://a:1 ").server.as_deref(), Some("https://a:1"));
    assert_eq!(flags("tls check --context c --secret x --hos").context.as_deref(), Some("c"));
}

#[test]
fn the_protocol_is_kubectls() {
    let completion = complete(&["status".to_owned(), "--w".to_owned()]);
    assert_eq!(protocol(&completion), "--watch\tFollow it until Ctrl-C, with a line for every change\n:4\n");
    assert!(protocol(&complete(&["check".to_owned(), "--kubeconfig".to_owned(), String::new()])).ends_with(":0\n"));
}

#[test]
fn no_line_makes_it_panic() {
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
    assert_eq!(complete(&[]), Completion::default());
}
