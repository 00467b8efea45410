//! MAS's settings, the Secrets, bots and tools.

use super::Explanation;
use crate::checks::finding::Severity::{Blocker, Ok, Unknown, Warning};
use crate::checks::finding::codes;

pub(super) const EXPLANATIONS: &[Explanation] = &[
    Explanation {
        code: codes::SETTINGS,
        about: "MAS's settings against the schema",
        severities: &[Blocker],
        meaning: "A setting of MAS is one that this release's ElementDeployment does not know.",
        why: "The API server would refuse it, or drop it in silence.",
        mend: "Choose one of the values that the message lists.",
        source: "The schema that the API server publishes.",
    },
    Explanation {
        code: codes::HOST_TAKEN,
        about: "MAS's host is another's",
        severities: &[Blocker, Warning],
        meaning: "MAS's host is that of another component, or the server name itself.",
        why: "Two ingresses for one host take each other's requests. At the server name stands /.well-known/matrix, by which \
              clients and other servers find this one.",
        mend: "Choose a host of its own, such as auth.<your domain>: kubectl ess-mas prepare --host HOST.",
        source: "The guide: a domain name for MAS.",
    },
    Explanation {
        code: codes::HOST_UNRESOLVED,
        about: "DNS and MAS's host",
        severities: &[Warning, Unknown, Ok],
        meaning: "Asked from where this program runs, DNS has no address for MAS's host. It is a warning only where DNS knows \
                  Synapse's host, which is in use; where it knows neither, being here tells nothing (`unknown`, and only \
                  `check` says so).",
        why: "Without a record nobody can log in once MAS is active, and an issuer that asks over HTTP gives no certificate.",
        mend: "Make the record, pointing to where Synapse's host points.",
        source: "The guide: the URL must be accessible.",
    },
    Explanation {
        code: codes::DATABASE_SHARED,
        about: "MAS's database is another's",
        severities: &[Blocker, Warning, Unknown, Ok],
        meaning: "MAS's database is that of Synapse or of another component. Host names are compared as the cluster's DNS \
                  would: `db`, `db.ns`, `db.ns.svc` and the full name are one. A warning is for what may be the same: another \
                  port of the same server, an address beside a name, a short name beside a longer one. `check --databases` asks the servers \
                  themselves.",
        why: "MAS's first start fails on tables that are there already (`relation \"users\" already exists`).",
        mend: "Create a database for MAS alone, owned by its role; it may be on the same server. `prepare` prints the SQL.",
        source: "The guide; PostgreSQL 15 (tried); MAS issues 5494 and 4605.",
    },
    Explanation {
        code: codes::DATABASE_POOLER,
        about: "a connection pooler before a database",
        severities: &[Blocker, Warning, Ok],
        meaning: "The port (6432) or the name of MAS's or Synapse's database server looks like a pooler's; or `check --databases` has \
                  found one, and saw how it pools.",
        why: "Pooling by transaction breaks the locks by which MAS and syn2mas keep others out, and prepared statements.",
        mend: "Name the server itself, or make sure that the pooler pools by session.",
        source: "MAS's documentation on databases.",
    },
    Explanation {
        code: codes::DATABASE_TLS,
        about: "TLS between MAS and its database",
        severities: &[Warning],
        meaning: "MAS's sslmode (the chosen one, or the schema's default) goes further than Synapse's on the same server, or less \
                  far; or MAS may talk unencrypted to a server outside of this cluster.",
        why: "With `require` or more MAS cannot connect to a server without TLS, and the dry run fails. With less, passwords \
              and data may cross the network for everybody to read.",
        mend: "kubectl ess-mas prepare --database-sslmode MODE",
        source: "PostgreSQL's documentation of sslmode; the schema's default.",
    },
    Explanation {
        code: codes::TLS_MODE,
        about: "where MAS's certificate comes from",
        severities: &[Warning],
        meaning: "Nothing sets a TLS mode, neither for MAS nor in spec.global.k8s.ingresses.tls; or `existing` is inherited, so \
                  that MAS would use the other components' Secret.",
        why: "Without a good certificate for its host nobody reaches MAS.",
        mend: "kubectl ess-mas prepare --tls external|certmanager|existing|certfile",
        source: "The shape of the ElementDeployment's ingresses.",
    },
    Explanation {
        code: codes::SECRET,
        about: "MAS's Secret",
        severities: &[Blocker, Unknown, Ok],
        meaning: "The Secret that MAS's component names does not exist, lacks a key that the component refers to (also by the \
                  schema's defaults), or holds a value that MAS cannot use. `unknown` means that it could not be read.",
        why: "The operator refuses to reconcile while a key is absent. A wrong encryption secret fails the dry run; a wrong RSA \
              key passes it and then stops MAS from starting.",
        mend: "kubectl ess-mas prepare makes what is missing, and keeps what is there.",
        source: "The operator's public predecessor; MAS's libraries (tried).",
    },
    Explanation {
        code: codes::COMPONENT_SECRET,
        about: "the other components' Secrets",
        severities: &[Blocker, Unknown, Ok],
        meaning: "Another component refers to a key (a field that ends in `SecretKey`) that is absent from its Secret, or to a \
                  Secret that is not there. For certificates in mode `certfile` the global Secret may stand in. `unknown` means \
                  that a Secret could not be read, or was not, to keep the number of requests of one check within 12. Only the \
                  names of keys are looked at.",
        why: "The operator checks all components before it does anything, and gives up where one key is absent. It found them \
              at its last good run, so this is about what was changed since.",
        mend: "Bring the key back, or let the field name one that is there.",
        source: "The operator's public predecessor.",
    },
    Explanation {
        code: codes::BOTS,
        about: "bots and bridges",
        severities: &[Warning, Unknown],
        meaning: "There are bots or bridges among the components, appservices of your own, or (`unknown`) components that nobody \
                  here knows.",
        why: "With MAS there is no `m.login.application_service`. Bots and bridges that encrypt must know MSC4190 to get a \
              device instead; all must register their users with `inhibit_login` (Synapse 1.139 and later). Synapse 1.141 and \
              later turn MSC4190 on for all of them once MAS is active. Others stop, or stop at their next restart.",
        mend: "Bring them up to date before the activation: Hookshot to 7.2.0 or later; for mautrix bridges set \
               encryption.msc4190: true. Ask Element Support about those that came with ESS.",
        source: "Synapse's change log; MAS issues 2580 and 3206; matrix-hookshot issues 980 and 1084 and its change log.",
    },
    Explanation {
        code: codes::ADMIN_TOOLS,
        about: "tools for administrators",
        severities: &[Warning],
        meaning: "synapse-admin, or a component like it, is there. The same goes for Mjolnir, for scripts with an \
                  administrator's token, and for those that register accounts by the shared secret.",
        why: "A login at MAS gives no administrator's rights by itself; tokens without a device lose theirs in the migration; \
              Synapse's endpoints for logging in as a user, for the admin flag, for resetting passwords, for registering by \
              the shared secret and for registration tokens are gone.",
        mend: "In MAS's pod: mas-cli manage promote-admin USER; for a token: mas-cli manage issue-compatibility-token USER \
               --yes-i-want-to-grant-synapse-admin-privileges. Accounts and registration tokens are managed at MAS.",
        source: "syn2mas's source; MAS issue 2913; synapse-admin issue 429.",
    },
];
