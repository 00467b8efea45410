//! The values in MAS's Secret.

use super::super::finding::codes;
use super::{Explanation, Severity};

pub(super) const EXPLANATIONS: &[Explanation] = &[Explanation {
    code: codes::ENCRYPTION_SECRET_WEAK,
    about: "an encryption secret that can be guessed",
    severities: &[Severity::Warning],
    meaning: "The encryption secret is 64 hex digits, as MAS wants it, but they were not made by chance: all the same, a pattern, \
              a count, or text.",
    why: "MAS encrypts client secrets in its database and the cookies of browsers with it. Whoever guesses it reads them. It cannot be \
          changed later without losing what it encrypted.",
    mend: "Before MAS is deployed: `prepare --replace encryptionSecret` makes a new one. Afterwards, as long as nothing has been \
           migrated: `abort --remove`, empty MAS's database, then replace it.",
    source: "MAS's source (crates/config/src/sections/secrets.rs), which does not check for it; the guide: must not change after installation",
}];
