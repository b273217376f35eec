//! Where requests may go: plain http only to this machine, unless it was allowed.

use std::net::IpAddr;

/// What matters of an endpoint's URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Endpoint {
    /// Whether what is sent there is encrypted.
    pub(super) encrypted: bool,
    /// Whether it is this machine.
    pub(super) loopback: bool,
}

impl Endpoint {
    /// Reads the start of a URL; the reason if it is no endpoint.
    pub(super) fn parse(url: &str) -> Result<Self, &'static str> {
        let (scheme, rest) = url.split_once("://").ok_or("it must start with https:// or http://")?;
        let encrypted = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return Err("it must start with https:// or http://"),
        };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if authority.contains('@') {
            return Err("it must not carry a user name or a password");
        }
        let host = match authority.strip_prefix('[') {
            Some(rest) => rest.split_once(']').ok_or("its bracket is not closed")?.0,
            None => authority.rsplit_once(':').map_or(authority, |(host, _)| host),
        };
        if host.is_empty() {
            return Err("it names no host");
        }
        Ok(Self { encrypted, loopback: is_loopback(host) })
    }
}

/// `localhost` and what is below it (RFC 6761), and the loopback addresses.
fn is_loopback(host: &str) -> bool {
    let name = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    name == "localhost"
        || name.ends_with(".localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_loopback() {
        for url in
            ["http://localhost:4566", "http://bucket.LOCALHOST./x", "http://127.0.0.1", "http://[::1]:1/"]
        {
            assert_eq!(Endpoint::parse(url), Ok(Endpoint { encrypted: false, loopback: true }), "{url}");
        }
        for url in [
            "http://localhost.example.com",
            "http://10.0.0.1:80",
            "http://127.0.0.1.example.com",
            "http://[::2]",
        ] {
            assert_eq!(Endpoint::parse(url), Ok(Endpoint { encrypted: false, loopback: false }), "{url}");
        }
    }

    #[test]
    fn what_is_no_endpoint_says_why() {
        for url in ["localhost:4566", "ftp://x", "http://", "http://user:secret@host", "https://[::1"] {
            assert!(Endpoint::parse(url).is_err(), "{url}");
        }
    }
}
