//! Does DNS know a name, asked from here?

use std::io::ErrorKind;
use std::time::Duration;

use crate::checks::Known;

/// A name that takes longer is not waited for.
const LIMIT: Duration = Duration::from_secs(2);

/// Whether there is an address for a host. Resolvers do not tell "no such name" from "nobody to ask" in a way that can be
/// relied on, so an answer is what counts: an address, none, or no answer in time.
pub async fn knows(host: &str) -> Known<bool> {
    // A final dot keeps the search domains of this machine out of it.
    let name = format!("{}.", host.trim_end_matches('.'));
    match tokio::time::timeout(LIMIT, tokio::net::lookup_host((name.as_str(), 443))).await {
        Ok(Ok(mut addresses)) => Known::Known(addresses.next().is_some()),
        Ok(Err(error)) if error.kind() == ErrorKind::OutOfMemory => Known::Unreadable("out of memory".to_owned()),
        Ok(Err(_)) => Known::Known(false),
        Err(_) => Known::Unreadable(format!("no answer within {} seconds", LIMIT.as_secs())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_name_that_cannot_exist_is_not_known() {
        // RFC 6761 §6.4: there is never anything below `invalid`.
        assert_ne!(knows("mas.invalid").await, Known::Known(true));
    }
}
