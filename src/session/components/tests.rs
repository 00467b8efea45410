//! The part of the read objects that is kept.

use serde_json::json;

use super::*;

#[test]
fn a_configuration_is_found_in_a_secret_and_nothing_else_is() {
    let text = "server_name: example.com\nsession_lifetime: 1h\nregistration_shared_secret: hunter2\n";
    let secret = json!({"metadata": {"name": "chat-synapse-main"}, "data": {
        "instance_template.yaml": STANDARD.encode(text), "log_config.yaml": STANDARD.encode("version: 1\n"),
        "signing.key": STANDARD.encode("server_name: x\n"), "broken.yaml": "%%%", "bytes.yaml": STANDARD.encode([0xff, 0xfe])}});
    let found = configs_in_secret("chat", secret.clone());
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].place, "Secret chat-synapse-main, key instance_template.yaml");
    assert!(!format!("{found:?}").contains("hunter2"));
    assert_eq!(configs_in_secret("other", secret), []);
}
