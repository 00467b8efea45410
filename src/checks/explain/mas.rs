//! MAS's settings and its Secret.

use super::super::finding::{
    Severity::{Blocker, Ok, Unknown, Warning},
    codes,
};
use super::Explanation;

pub(super) const EXPLANATIONS: &[Explanation] = &[
    Explanation {
        code: codes::HOST_TAKEN,
        about: "whether MAS has a host of its own",
        severities: &[Blocker],
        meaning: "MAS's host is the host of another component.",
        why: "Two ingresses for one host and path take each other's requests.",
        mend: "Choose a host of its own, such as auth.<your domain>, and point its DNS to the ingress.",
        source: "the migration guide (fqdn of MAS)",
    },
    Explanation {
        code: codes::DATABASE_SHARED,
        about: "whether MAS has a database of its own",
        severities: &[Blocker],
        meaning: "Host, port and name of MAS's database are those of Synapse's; a short and a full service name count as the same.",
        why: "Both have a table `users`. MAS's first schema migration fails with: relation \"users\" already exists.",
        mend: "Create an empty database for MAS; it may be on the same server. `kubectl ess-mas prepare` prints the SQL.",
        source: "the migration guide, Preparation; tried with PostgreSQL; MAS issue 5494",
    },
    Explanation {
        code: codes::SETTINGS,
        about: "whether this release can express MAS's settings",
        severities: &[Blocker],
        meaning: "A setting that was chosen has no field in this release's ElementDeployment, or a value that the field does not take.",
        why: "The API server would refuse the write, or drop the field.",
        mend: "Choose another value with `kubectl ess-mas prepare`, or upgrade ESS Classic.",
        source: "the schema that the API server publishes",
    },
    Explanation {
        code: codes::TLS_MODE,
        about: "whether a TLS mode is set for MAS's ingress, and is its own",
        severities: &[Warning],
        meaning: "Neither MAS nor spec.global.k8s.ingresses.tls sets a mode; or the mode is inherited and is `existing`, so that MAS uses the same Secret as the other components.",
        why: "Without a good certificate for its own host, no browser and no client reaches MAS.",
        mend: "Choose one: `kubectl ess-mas prepare --tls external|certmanager|existing|certfile|issue`.",
        source: "the ElementDeployment's schema",
    },
    Explanation {
        code: codes::SECRET,
        about: "whether MAS's Secret is there, complete, and usable by MAS",
        severities: &[Ok, Unknown, Blocker],
        meaning: "The Secret does not exist, lacks a key that the spec refers to, or holds a value that MAS cannot read. As unknown: it could not be read.",
        why: "The operator refuses to run when a key is missing. MAS does not trim the encryption secret and reads RSA keys strictly: a line feed too many is enough, and the migration tool does not notice, because it does not load the keys.",
        mend: "Let `kubectl ess-mas prepare` make what is missing. Put a good value in the place of a bad one, but never change an encryption secret that MAS has run with.",
        source: "the migration guide (keys of the Secret); tried with the libraries that MAS reads them with; the operator's own checks",
    },
];
