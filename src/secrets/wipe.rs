//! Overwriting secrets where they pass through JSON.

use serde_json::Value;
use zeroize::Zeroize as _;

/// Overwrites every string in an object of the API server, keeping its shape. For a Secret these are its values in base64, and
/// copies of them in annotations (`kubectl apply` leaves one there). Names of keys stay; they are not secret.
pub fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(items) => items.iter_mut().for_each(wipe),
        Value::Object(fields) => fields.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn nothing_of_a_secret_is_left_wherever_it_stands() {
        let mut secret = json!({
            "metadata": {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{\"data\":{\"a\":\"aHVudGVyMg==\"}}"}},
            "data": {"a": "aHVudGVyMg=="}, "list": [["aHVudGVyMg=="], {"b": "aHVudGVyMg=="}], "immutable": true, "n": 7});
        wipe(&mut secret);
        assert!(!secret.to_string().contains("aHVudGVyMg"), "{secret}");
        assert_eq!((&secret["immutable"], &secret["n"]), (&json!(true), &json!(7)));
    }
}
