//! From an answer that refuses to a kind of error.

use std::time::Duration;

use serde_json::Value;

use super::error::{ClusterError, ErrorKind};
use super::text::{between, plain, unpunctuated, without_values};

impl ClusterError {
    /// Sorts an answer with a failure status into its kind. `body` is a Kubernetes `Status` or anything else.
    pub(in crate::cluster) fn from_answer(code: u16, retry_after: Option<Duration>, body: &[u8]) -> Self {
        let status = serde_json::from_slice::<Value>(body).ok().filter(|value| value["kind"] == "Status");
        // Without a Status it is a proxy or load balancer that speaks; an HTML page helps nobody.
        let foreign = || {
            let body = String::from_utf8_lossy(&body[..body.len().min(400)]);
            if body.trim_start().starts_with('<') { String::new() } else { plain(&body) }
        };
        let message = status.as_ref().map_or_else(foreign, |status| text(&status["message"]));
        Self::new(kind_of(code, retry_after, &status.unwrap_or_default(), message))
    }

    /// The same for a `Status` that came as a watch event; its `code` takes the place of the HTTP status.
    pub(in crate::cluster) fn from_status(status: &Value) -> Self {
        let code = status["code"].as_u64().and_then(|code| u16::try_from(code).ok()).unwrap_or(500);
        Self::new(kind_of(code, None, status, text(&status["message"])))
    }
}

fn text(value: &Value) -> String {
    plain(&without_values(value.as_str().unwrap_or_default()))
}

fn kind_of(code: u16, retry_after: Option<Duration>, status: &Value, message: String) -> ErrorKind {
    let details = &status["details"];
    let causes = || details["causes"].as_array().into_iter().flatten();
    let non_empty = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    match code {
        401 => ErrorKind::Unauthorized,
        403 => ErrorKind::Forbidden {
            user: between(&message, "User \"", "\"").map(str::to_owned),
            by_rules: message.contains(" cannot ") || message.is_empty(),
            message: between(&message, " is forbidden: ", "").unwrap_or(&message).to_owned(),
        },
        // An object that is missing is named in the details; an API that is not served leaves plain text or no details.
        404 if non_empty(&details["name"]).is_some() => ErrorKind::NotFound,
        404 => ErrorKind::NoSuchApi,
        409 if status["reason"] == "AlreadyExists" => ErrorKind::AlreadyExists,
        409 => ErrorKind::Conflict(message),
        410 => ErrorKind::Gone(non_empty(&status["metadata"]["continue"])),
        400 | 422 => {
            let mut problems = unknown_fields(&message);
            if problems.is_empty() {
                problems.extend(causes().map(|cause| problem(&text(&cause["field"]), &text(&cause["message"]))));
            }
            ErrorKind::Invalid { problems, message }
        }
        429 | 500..=599 => ErrorKind::ServerFailed {
            code,
            retry_after: retry_after.or_else(|| details["retryAfterSeconds"].as_u64().map(Duration::from_secs)),
            version_from_the_future: causes().any(|cause| cause["reason"] == "ResourceVersionTooLarge")
                || message.contains("Too large resource version"),
            message,
        },
        _ => ErrorKind::Refused { code, message },
    }
}

fn problem(field: &str, message: &str) -> String {
    let message = unpunctuated(message);
    if field.is_empty() { message.to_owned() } else { format!("`{field}`: {message}") }
}

/// The fields of a strict-decoding error: `strict decoding error: unknown field "spec.a", unknown field "spec.b"`.
fn unknown_fields(message: &str) -> Vec<String> {
    let list = message.split_once("strict decoding error: ").map_or("", |(_, list)| list);
    let fields = list.split("unknown field \"").skip(1).filter_map(|part| part.split_once('"'));
    fields.map(|(field, _)| problem(field, "unknown field")).collect()
}
