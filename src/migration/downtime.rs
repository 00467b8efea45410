//! How long users are locked out: the vendor's figure, and what was seen here. An estimate, and called one.

use jiff::SignedDuration;
use k8s_openapi::api::core::v1::Pod;
use serde_json::Value;

use crate::checks::Snapshot;
use crate::cluster::{Selection, resource};
use crate::session::Session;
use crate::terminal::time::duration;
use crate::workloads::Times;

/// How long Synapse's pods take to stop and start; `None` where they may not be looked at.
pub async fn times(session: &Session) -> Option<Times> {
    let namespace = Some(session.target.namespace.as_str());
    let pods =
        session.cluster.list::<Value>(&resource::<Pod>(), namespace, Selection::default(), 500).all().await.ok()?;
    Times::of(&pods, session.deployment.name())
}

/// The lines for a person who is about to be asked.
pub fn lines(snapshot: &Snapshot, times: Option<Times>) -> Vec<String> {
    let rehearsal = snapshot.recorded().and_then(|record| record.rehearsal.as_ref());
    said(rehearsal.and_then(|rehearsal| i64::try_from(rehearsal.seconds).ok()), times)
}

fn said(rehearsal: Option<i64>, times: Option<Times>) -> Vec<String> {
    let span = |seconds: i64| duration(SignedDuration::from_secs(seconds));
    let mut lines = vec![
        "Synapse and other components are stopped, and users are locked out, for an estimated 5 to 30 minutes (the vendor's figure).".to_owned(),
    ];
    if let Some(seconds) = rehearsal {
        lines.push(format!("For comparison: the dry run, which stops and restarts nothing, took {}.", span(seconds)));
    }
    let Some(Times { pods, stop, start }) = times else { return lines };
    let pods = if pods == 1 { "Synapse's pod".to_owned() } else { format!("the slowest of Synapse's {pods} pods") };
    let started =
        start.map_or_else(String::new, |start| format!(", and took {} from its start until it was ready", span(start)));
    lines.push(format!("As seen here, {pods} may take up to {} to stop{started}.", span(stop)));
    if let (Some(rehearsal), Some(start)) = (rehearsal, start) {
        // The copying again, with half as much for a busier moment, between a stop and a start.
        let sum = stop + rehearsal + rehearsal / 2 + start;
        lines.push(format!(
            "Together, with half as much again for the dry run, that is about {}: an estimate, to which the other components add.",
            about(sum)
        ));
    }
    lines
}

fn about(seconds: i64) -> String {
    match (seconds + 59) / 60 {
        ..=1 => "1 minute".to_owned(),
        minutes => format!("{minutes} minutes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_seen_is_not_made_up() {
        assert_eq!(said(None, None).len(), 1);
        assert_eq!(
            said(Some(131), None)[1],
            "For comparison: the dry run, which stops and restarts nothing, took 2m 11s."
        );
        let unseen = said(Some(131), Some(Times { pods: 1, stop: 30, start: None }));
        assert_eq!(unseen.len(), 3);
        assert_eq!(unseen[2], "As seen here, Synapse's pod may take up to 30s to stop.");
    }

    #[test]
    fn what_was_seen_is_added_up_and_called_an_estimate() {
        let all = said(Some(131), Some(Times { pods: 3, stop: 30, start: Some(48) }));
        assert_eq!(
            all[2],
            "As seen here, the slowest of Synapse's 3 pods may take up to 30s to stop, and took 48s from its start until it was ready."
        );
        // 30 + 131 + 65 + 48 = 274 seconds.
        assert!(all[3].contains("about 5 minutes: an estimate"), "{all:?}");
    }
}
