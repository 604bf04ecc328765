//! The `Link` header, by which a registry says where the next page is.

use url::Url;

/// The target of the first link with relation `next`; an unreadable header is an error.
pub(crate) fn next_target<'h>(headers: impl Iterator<Item = &'h str>) -> Result<Option<String>, String> {
    for header in headers {
        for link in parse(header).ok_or_else(|| format!("malformed Link header `{header}`"))? {
            if link.is_next {
                return Ok(Some(link.target));
            }
        }
    }
    Ok(None)
}

/// The next page's address. It must stay on the registry's host.
///
/// A registry behind a proxy that ends TLS may write `http` for itself; that is
/// the same host, asked again with the scheme in use.
pub(crate) fn resolve(current: &Url, target: &str) -> Result<Url, String> {
    let mut next = current.join(target).map_err(|e| format!("malformed next page `{target}`: {e}"))?;
    let default_ports = current.port().is_none() && next.port().is_none();
    if next.scheme() == "http" && current.scheme() == "https" && default_ports {
        // Cannot fail between two special schemes.
        let _ = next.set_scheme("https");
    }
    let place = |url: &Url| (url.scheme().to_owned(), url.host_str().map(str::to_owned), url.port_or_known_default());
    if place(&next) != place(current) {
        let host = next.host_str().unwrap_or_default();
        return Err(format!("the next page is on another host (`{}://{host}`)", next.scheme()));
    }
    let _ = next.set_username("").and_then(|()| next.set_password(None));
    Ok(next)
}

struct Link {
    target: String,
    is_next: bool,
}

/// `<target>; param="value", <target>; …` of RFC 8288.
fn parse(header: &str) -> Option<Vec<Link>> {
    let mut links = Vec::new();
    let mut rest = header.trim();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix(',') {
            rest = after.trim_start();
            continue;
        }
        let (target, after) = rest.strip_prefix('<')?.split_once('>')?;
        let mut is_next = false;
        rest = after.trim_start();
        while let Some(after) = rest.strip_prefix(';') {
            let (name, value, after) = parameter(after.trim_start())?;
            is_next |= name.eq_ignore_ascii_case("rel")
                && value.split_ascii_whitespace().any(|r| r.eq_ignore_ascii_case("next"));
            rest = after.trim_start();
        }
        if !(rest.is_empty() || rest.starts_with(',')) {
            return None;
        }
        links.push(Link { target: target.trim().to_owned(), is_next });
    }
    Some(links)
}

/// `name=token`, `name="text"` or `name`; and what follows.
fn parameter(text: &str) -> Option<(&str, String, &str)> {
    let end = text.find(['=', ';', ',']).unwrap_or(text.len());
    let (name, after) = text.split_at(end);
    let Some(value) = after.strip_prefix('=') else {
        return Some((name.trim(), String::new(), after));
    };
    let value = value.trim_start();
    let Some(quoted) = value.strip_prefix('"') else {
        let end = value.find([';', ',']).unwrap_or(value.len());
        return Some((name.trim(), value[..end].trim().to_owned(), &value[end..]));
    };
    let mut content = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((name.trim(), content, &quoted[at + 1..])),
            '\\' => content.push(chars.next()?.1),
            _ => content.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(header: &str) -> Result<Option<String>, String> {
        next_target(std::iter::once(header))
    }

    #[test]
    fn every_form_of_the_header() {
        for header in [
            "</v2/a/tags/list?last=b&n=2>; rel=\"next\"",
            "</v2/a/tags/list?last=b&n=2>;rel=next",
            "</v2/a/tags/list?last=b&n=2> ; title=\"a, <b>; \\\"c\\\"\" ; REL=\"Next last\"",
            "<first>; rel=\"first\", </v2/a/tags/list?last=b&n=2>; rel=\"next\"",
            ", </v2/a/tags/list?last=b&n=2>; x; rel=next ,",
        ] {
            assert_eq!(next(header), Ok(Some("/v2/a/tags/list?last=b&n=2".into())), "{header}");
        }
        for header in ["", "<a>; rel=\"prev\"", "<a>", "<a>; rel=nextish"] {
            assert_eq!(next(header), Ok(None), "{header}");
        }
    }

    #[test]
    fn malformed_headers_are_errors_not_ends() {
        for header in ["/v2/a; rel=next", "</v2/a; rel=next", "<a> rel=next", "<a>; rel=\"next", "garbage"] {
            assert!(next(header).is_err(), "{header}");
        }
    }

    #[test]
    fn several_headers_are_one_list() {
        let headers = ["<a>; rel=prev", "<b>; rel=next"];
        assert_eq!(next_target(headers.into_iter()), Ok(Some("b".into())));
    }

    fn go(current: &str, target: &str) -> Result<String, String> {
        resolve(&Url::parse(current).unwrap(), target).map(|url| url.to_string())
    }

    #[test]
    fn relative_and_absolute_targets() {
        let current = "https://r.example/v2/a/tags/list?n=2";
        assert_eq!(go(current, "/v2/a/tags/list?last=x"), Ok("https://r.example/v2/a/tags/list?last=x".into()));
        assert_eq!(go(current, "?last=x"), Ok("https://r.example/v2/a/tags/list?last=x".into()));
        assert_eq!(go(current, "https://r.example:443/x"), Ok("https://r.example/x".into()));
        assert_eq!(go(current, "http://r.example/x"), Ok("https://r.example/x".into()));
        assert_eq!(go(current, "https://u:p@r.example/x"), Ok("https://r.example/x".into()));
    }

    #[test]
    fn other_hosts_are_refused() {
        let current = "https://r.example/v2/a/tags/list?n=2";
        for target in [
            "https://evil.example/x",
            "//evil.example/x",
            "https://r.example:444/x",
            "http://r.example:80/x:1",
            "file:///etc/passwd",
            "https://",
        ] {
            if target == "http://r.example:80/x:1" {
                // Port 80 is http's default, so this is the same host behind a TLS proxy.
                assert!(go(current, target).is_ok());
            } else {
                assert!(go(current, target).is_err(), "{target}");
            }
        }
        assert!(go("http://r.example:5000/a", "https://r.example:5000/b").is_err());
    }
}
