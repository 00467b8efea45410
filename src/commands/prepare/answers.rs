//! Validates answers to prompts and values of flags. Errors don't repeat the value, which may contain a password.

use std::net::IpAddr;

pub fn word(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() || text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err("Enter one word, without spaces.".to_owned());
    }
    Ok(text.to_owned())
}

pub fn port(text: &str) -> Result<String, String> {
    let port = text.trim().parse::<u16>().ok().filter(|port| *port > 0);
    port.map(|port| port.to_string()).ok_or_else(|| "Enter a number from 1 to 65535.".to_owned())
}

/// The host of a database server: a name or an IP address.
pub fn database_host(text: &str) -> Result<String, String> {
    let host = text.trim();
    let is_label =
        |label: &str| !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_');
    let labels = || host.strip_suffix('.').unwrap_or(host).split('.');
    // Resolvers read `127.1` and `2130706433` as addresses.
    let is_number = labels().next_back().is_some_and(|last| last.chars().all(|c| c.is_ascii_digit()));
    let is_name = host.len() <= 253 && labels().all(is_label) && !is_number;
    if is_name || host.parse::<IpAddr>().is_ok() {
        return Ok(host.to_owned());
    }
    let more = if host.contains(['/', '@', '=', '?', '\\']) {
        "This is a URL, a path or a connection string. Use --database-port, --database-name, --database-user and \
         --database-password-file for the other parts."
    } else if host.starts_with('[') {
        "Enter an IPv6 address without brackets, and the port with --database-port."
    } else if host.contains(':') {
        "Use --database-port for the port."
    } else {
        "This is neither a host name nor an IP address."
    };
    Err(format!("Enter only the host, such as pg.example.com. {more}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_host_is_a_name_or_an_address() {
        for host in [
            "pg.example.com",
            " pg ",
            "PG-1.db.svc.cluster.local.",
            "my_pg",
            "10.0.0.5",
            "2001:db8::1",
            "::ffff:10.0.0.5",
            "b\u{fc}ro.example.com",
        ] {
            assert_eq!(database_host(host).as_deref(), Ok(host.trim()));
        }
    }

    #[test]
    fn more_than_a_host_is_refused_without_repeating_it() {
        for (text, told) in [
            ("pg.example.com:5432", "--database-port"),
            ("10.0.0.5:5432", "--database-port"),
            ("pg.example.com:", "--database-port"),
            ("pg:canary", "--database-port"),
            ("[2001:db8::1]", "without brackets"),
            ("[2001:db8::1]:5432", "--database-port"),
            ("postgres://user:canary@pg.example.com:5432/mas", "a URL"),
            ("postgresql://pg.example.com", "a URL"),
            ("user:canary@pg.example.com", "a URL"),
            ("pg.example.com/mas", "a URL"),
            ("/var/run/postgresql", "a path"),
            ("host=pg password=canary", "a connection string"),
            ("pg.example.com canary", "neither"),
            ("pg.example.com,pg2.example.com", "neither"),
            ("pg..example.com", "neither"),
            ("127.1", "neither"),
            ("2130706433", "neither"),
            ("10.0.0.256", "neither"),
            ("canary\tpg", "neither"),
            ("", "neither"),
            (".", "neither"),
        ] {
            let refused = database_host(text).unwrap_err();
            assert!(refused.starts_with("Enter only the host") && refused.contains(told), "{text:?}: {refused}");
            assert!(!refused.contains("canary"), "{refused}");
        }
    }
}
