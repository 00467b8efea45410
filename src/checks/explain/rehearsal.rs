//! The dry run and the record of it.

use super::super::finding::{
    Severity::{Blocker, Ok, Unknown, Warning},
    codes,
};
use super::Explanation;

pub(super) const EXPLANATIONS: &[Explanation] = &[
    Explanation {
        code: codes::REHEARSAL,
        about: "whether a dry run has passed for what is there now",
        severities: &[Ok, Warning, Blocker],
        meaning: "No dry run is on record, the last one failed, a run has failed since, or the spec or the Secret has changed since. What changed is named: fields of the spec by their path, values of the Secret by fingerprints.",
        why: "The guide: \"The dry-run migration must have succeeded before the actual migration can be attempted\", and \"All other settings should remain the same\". What was not rehearsed fails when everybody is locked out.",
        mend: "Run `kubectl ess-mas dry-run` and let it pass, then activate without changing anything else.",
        source: "the migration guide, Performing the migration",
    },
    Explanation {
        code: codes::REHEARSAL_OLD,
        about: "whether the dry run is of these days and of this release",
        severities: &[Warning],
        meaning: "It passed and still stands, but seven days ago or more; or ESS was upgraded since.",
        why: "The rehearsal reads Synapse's database as it is at the time. Accounts, devices, e-mail addresses and phone numbers that came since were not rehearsed, and a week of a living server brings some; a newer release may judge them in another way.",
        mend: "Run `kubectl ess-mas dry-run` again; nobody notices it. Or accept the finding.",
        source: "the source of syn2mas (its dry run copies all data and takes it back); seven days are this program's choice",
    },
    Explanation {
        code: codes::RECORD,
        about: "whether the record of the earlier steps can be read",
        severities: &[Unknown],
        meaning: "The ConfigMap NAME-kubectl-ess-mas could not be read: the right is missing, somebody has edited it, or a newer release of this program wrote it.",
        why: "It holds what was settled and the proof of the dry run. Without it nothing can be activated.",
        mend: "Get the right to read it, use the release that wrote it, or delete it and go through `prepare` and `dry-run` again. Nothing secret is lost with it.",
        source: "this program",
    },
];
