//! The addresses that calls may go to. Every transport asks here, and nowhere else.

use reqwest::Url;

/// `text` as an address: `https`, or `http` to this machine (a receiver under development); without a user, which
/// would end up in logs, and without a fragment, which is never sent.
pub(crate) fn endpoint(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    let safe = url.scheme() == "https" || url.scheme() == "http" && is_this_machine(&url);
    (plain && safe && url.has_host()).then_some(url)
}

fn is_this_machine(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_encrypted_or_local_addresses_are_taken() {
        for good in
            ["https://example.org/hook?x=1", "http://127.0.0.1:8080/", "http://localhost/", "http://[::1]:9/"]
        {
            assert!(endpoint(good).is_some(), "{good}");
        }
        for bad in [
            "",
            "example.org",
            "http://example.org/",
            "http://localhost.example.org/",
            "ftp://example.org/",
            "https://user:word@example.org/",
            "https://example.org/#part",
            "https://",
            "file:///etc/hosts",
        ] {
            assert!(endpoint(bad).is_none(), "{bad}");
        }
    }
}
