//! Synapse's settings.

use super::Explanation;
use crate::checks::finding::Severity::{Blocker, Ok, Unknown, Warning};
use crate::checks::finding::codes;

/// Where the rows about Synapse are known from.
const TRIED: &str = "Synapse's source (config/mas.py); tried with Synapse 1.163, see tests/synapse.";
const FREE_FORM: &str = "As free-form setting it blocks: the operator hands such settings on as they are. As a field of the \
                         ElementDeployment, or where only the operator's own rendering has it, it is a warning: the operator may leave \
                         it out with MAS.";

pub(super) const EXPLANATIONS: &[Explanation] = &[
    Explanation {
        code: codes::SYNAPSE_SETTINGS,
        about: "Synapse's settings hold nothing that MAS excludes",
        severities: &[Ok],
        meaning: "Looked through were: the fields of spec.components.synapse.config, its `additional`, every worker's \
                  `additional`, and what the operator rendered, where that may be read. Looked for were: \
                  password_config.enabled, password_providers, ldap_config and password modules, enable_registration, \
                  enable_registration_captcha, user_consent, enable_3pid_changes, login_via_existing_session.enabled, \
                  session_lifetime, refresh_token_lifetime, nonrefreshable_access_token_lifetime, oidc_providers, oidc_config, \
                  saml2_config, cas_config, jwt_config, experimental_features.msc3861, allow_guest_access, \
                  password_config.pepper, database, and types that syn2mas cannot read.",
        why: "Most of these are refused only when MAS is active already and everybody is locked out.",
        mend: "Nothing is to be done.",
        source: TRIED,
    },
    Explanation {
        code: codes::SYNAPSE_CONFIG_UNREADABLE,
        about: "free-form settings that cannot be read",
        severities: &[Blocker, Unknown],
        meaning: "A free-form text is not YAML, more than one document, or no mapping. `unknown` means that it is larger or \
                  deeper than is looked at here (2 MiB, 32 levels, 200,000 values, aliases counted as often as they are used).",
        why: "Neither the operator nor syn2mas can read it, and what it holds cannot be judged.",
        mend: "Mend it. The line is where the reader gave up; the mistake may stand before it.",
        source: "The YAML libraries of both programs.",
    },
    Explanation {
        code: codes::SYNAPSE_DUPLICATE_KEY,
        about: "a key that comes twice",
        severities: &[Warning],
        meaning: "A mapping in free-form settings has the same key twice. All programs take the last one, silently.",
        why: "The setting that you see may not be the one that holds.",
        mend: "Take out the one that is not meant.",
        source: "The YAML libraries of both programs, tried.",
    },
    Explanation {
        code: codes::SYNAPSE_PASSWORD_LOGIN,
        about: "`password_config.enabled` in free-form settings",
        severities: &[Blocker],
        meaning: "Password logins at Synapse are switched on in so many words; `only_for_reauth` and any text count as on.",
        why: "Synapse refuses to start with it once MAS is active: MAS checks passwords then. The dry run does not notice, \
              but for `only_for_reauth`, which syn2mas cannot read.",
        mend: "Take it out. Synapse has it on by itself today, and off by itself with MAS.",
        source: TRIED,
    },
    Explanation {
        code: codes::SYNAPSE_PASSWORD_MODULE,
        about: "a module that checks passwords",
        severities: &[Blocker, Unknown],
        meaning: "`modules`, `password_providers` or `ldap_config` in free-form settings load a module that checks passwords, \
                  such as that for LDAP. `unknown` means that nobody here knows what the module does.",
        why: "Synapse refuses to start with it once MAS is active. For an entry of `modules` it does so only when the module \
              registers what it checks, so that neither the dry run nor a test of the configuration shows it.",
        mend: "Move LDAP to delegatedAuth.ldap. For a module that is not known, look for `password auth provider` in its \
               documentation.",
        source: TRIED,
    },
    Explanation {
        code: codes::SYNAPSE_REGISTRATION,
        about: "registration at Synapse",
        severities: &[Blocker, Warning],
        meaning: FREE_FORM,
        why: "Synapse refuses to start with `enable_registration: true` (or the old `disable_registration: false`) once MAS is \
              active: people register at MAS then. syn2mas warns about the first.",
        mend: "Take it out of free-form settings, and use delegatedAuth.localPasswordDatabase.enableRegistration.",
        source: TRIED,
    },
    Explanation {
        code: codes::SYNAPSE_CAPTCHA,
        about: "a CAPTCHA at registration",
        severities: &[Blocker, Warning],
        meaning: FREE_FORM,
        why: "Synapse refuses to start with `enable_registration_captcha: true` once MAS is active. MAS has a CAPTCHA of its \
              own, which must be configured there.",
        mend: "Take it out, and ask Element Support how MAS is given one, if people register here.",
        source: TRIED,
    },
    Explanation {
        code: codes::SYNAPSE_CONSENT,
        about: "consent to terms",
        severities: &[Blocker, Warning],
        meaning: FREE_FORM,
        why: "Synapse refuses to start with a section `user_consent` once MAS is active. syn2mas warns about it.",
        mend: "Take the section out. MAS can show where the terms of service are; ask Element Support how it is told.",
        source: TRIED,
    },
    Explanation {
        code: codes::SYNAPSE_3PID_CHANGES,
        about: "people change their e-mail addresses at Synapse",
        severities: &[Blocker, Warning],
        meaning: FREE_FORM,
        why: "syn2mas refuses to migrate with `enable_3pid_changes: true`, and Synapse refuses to start with it once MAS is \
              active. The dry run shows it. The field delegatedAuth.userProfiles.allowEmailChange may become this setting.",
        mend: "Take it out: on is Synapse's default today. If the dry run complains although it stands only in \
               allowEmailChange, take that field out until the migration is done.",
        source: "syn2mas's checks (recorded); Synapse's source; tried with Synapse 1.163.",
    },
    Explanation {
        code: codes::SYNAPSE_EXISTING_SESSION,
        about: "a session logs in another one",
        severities: &[Blocker, Warning],
        meaning: FREE_FORM,
        why: "syn2mas refuses to migrate with `login_via_existing_session.enabled: true`, and Synapse refuses to start with it \
              once MAS is active.",
        mend: "Take it out. MAS brings a login by QR code of its own.",
        source: "syn2mas's checks (recorded); Synapse's source; tried with Synapse 1.163.",
    },
    Explanation {
        code: codes::SYNAPSE_LIFETIME,
        about: "logins that end after some time",
        severities: &[Blocker, Warning],
        meaning: FREE_FORM,
        why: "Synapse refuses to start with `session_lifetime`, `refresh_token_lifetime` or \
              `nonrefreshable_access_token_lifetime` once MAS is active. syn2mas says nothing about them, so the dry run passes \
              and the activation breaks. `refreshable_access_token_lifetime` is harmless, and so is a duration of nought.",
        mend: "Take it out before the dry run. With MAS it is MAS that ends logins.",
        source: TRIED,
    },
    Explanation {
        code: codes::SYNAPSE_OIDC,
        about: "OIDC providers in free-form settings",
        severities: &[Blocker],
        meaning: "`oidc_providers` or `oidc_config` stand in free-form settings instead of delegatedAuth.oidc.",
        why: "Synapse refuses to start with them once MAS is active. But syn2mas needs them: without them it does not know which \
              provider the accounts are linked to, and stops.",
        mend: "Move each provider to delegatedAuth.oidc with exactly the id that it has. The provider of `oidc_config` and one \
               without `idp_id` have the id `oidc`; ask Element Support about those.",
        source: "element-hq/ess-helm pull request 740; syn2mas's checks; tried with Synapse 1.163.",
    },
    Explanation {
        code: codes::SYNAPSE_DELEGATES,
        about: "Synapse delegates logins already",
        severities: &[Blocker, Warning],
        meaning: "`experimental_features.msc3861` or `matrix_authentication_service.enabled` is set. As a warning it stands only \
                  in what the operator rendered.",
        why: "Then people log in at a MAS today, which the operator may know nothing of. There is nothing to migrate from \
              Synapse, and free-form settings for it would stay in the way of the operator's.",
        mend: "Find out what is in use. If it is a MAS, ask Element Support.",
        source: "Synapse's source; Synapse 1.157 and later start no more with msc3861 set.",
    },
    Explanation {
        code: codes::SYNAPSE_GUESTS,
        about: "guests",
        severities: &[Blocker, Warning],
        meaning: FREE_FORM,
        why: "syn2mas refuses to migrate while `allow_guest_access` is on. The dry run shows it.",
        mend: "Take it out, or set it to false. Guests that are in the database already are only a warning of syn2mas.",
        source: "syn2mas's checks (recorded).",
    },
    Explanation {
        code: codes::SYNAPSE_DATABASE,
        about: "Synapse's database settings in free form",
        severities: &[Blocker, Warning],
        meaning: "`database.name` is not psycopg2, or `database.args` names the database as `dbname`.",
        why: "syn2mas reads PostgreSQL only, and refuses `dbname` and `database` beside each other. The operator writes \
              `database` from config.postgresql.",
        mend: "Take the section out of free-form settings; config.postgresql has its place.",
        source: "syn2mas's reader (recorded for sqlite3).",
    },
    Explanation {
        code: codes::SYNAPSE_DATABASE_TLS,
        about: "syn2mas does not check the certificate of Synapse's database",
        severities: &[Warning],
        meaning: "Synapse connects to its database with sslMode verify-ca or verify-full.",
        why: "syn2mas reads only host, port, user, password and database. It connects all the same, but does not check whom it \
              talks to, and a server that asks for a client's certificate refuses it.",
        mend: "Make sure that the way from the cluster to the database is trusted while the dry run and the migration run.",
        source: "syn2mas's reader.",
    },
];
