use super::*;

#[test]
fn attempts_are_those_of_the_client_in_the_cluster() {
    use Offer::{Disable, Prefer, Require};
    assert_eq!(attempts(Application::Mas, SslMode::Allow), [Disable], "MAS's library takes it for disable");
    assert_eq!(attempts(Application::Synapse, SslMode::Allow), [Disable, Require]);
    assert_eq!(attempts(Application::Mas, SslMode::Prefer), [Prefer]);
    assert_eq!(attempts(Application::Synapse, SslMode::Prefer), [Prefer, Disable]);
    for application in [Application::Mas, Application::Synapse] {
        assert_eq!(attempts(application, SslMode::Disable), [Disable]);
        for mode in [SslMode::Require, SslMode::VerifyCa, SslMode::VerifyFull] {
            assert_eq!(attempts(application, mode), [Require], "never without");
        }
    }
}

#[test]
fn server_message_is_one_line_without_the_password() {
    let told = plain("no\u{1b}[2J\r\n\tway for hunter2\u{0}");
    assert_eq!(without(&told, &SecretText::from("hunter2")), "no [2J way for ***");
    assert!(plain(&"x".repeat(5000)).chars().count() == LONGEST + 1);
    assert_eq!(without("as it is", &SecretText::from("")), "as it is");
}
