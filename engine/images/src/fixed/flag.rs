//! `--fixed-image IMAGE[:NAMESPACE[:DEPLOYMENT[:CONTAINER]]]=RESULT`.

use super::{FixedImage, FixedOrigin, ImageMatch};

/// The option has another form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("--fixed-image expects 'image<:namespace:deployment:container>=result'")]
pub struct FlagError {
    /// The option's text.
    pub text: String,
}

impl FixedImage {
    /// Parses the option's value. A registry port belongs to the image; an empty part matches everything.
    /// The result must not be empty, as in files.
    pub fn from_flag(text: &str) -> Result<Self, FlagError> {
        let refused = || FlagError { text: text.to_owned() };
        let (left, result) = text.split_once('=').filter(|(_, result)| !result.is_empty()).ok_or_else(refused)?;
        let (image, rest) = split_image(left);
        let mut parts = rest.map_or_else(Vec::new, |rest| rest.split(':').collect()).into_iter();
        let mut part = || parts.next().filter(|part| !part.is_empty()).map(str::to_owned);
        let (namespace, deployment, container) = (part(), part(), part());
        if parts.next().is_some() {
            return Err(refused());
        }
        // `=x` names nothing at all; it must not match everything.
        let any = image.is_empty() && (namespace.is_some() || deployment.is_some() || container.is_some());
        Ok(Self {
            image: (!any).then(|| ImageMatch::Exact(image.to_owned())),
            namespace,
            deployment,
            container,
            result_image: result.to_owned(),
            origin: FixedOrigin::Flag { text: text.to_owned() },
        })
    }
}

/// Cuts at the first colon that does not begin a port (`:5000/`).
fn split_image(text: &str) -> (&str, Option<&str>) {
    let Some(colon) = text.find(':') else {
        return (text, None);
    };
    let after = &text[colon + 1..];
    let digits = after.bytes().take_while(u8::is_ascii_digit).count();
    let image_end = if digits > 0 && after[digits..].starts_with('/') {
        after.find(':').map_or(text.len(), |next| colon + 1 + next)
    } else {
        colon
    };
    (&text[..image_end], text[image_end..].strip_prefix(':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    type Parts<'a> = (Option<&'a str>, Option<&'a str>, Option<&'a str>, Option<&'a str>, &'a str);

    fn parts(entry: &FixedImage) -> Parts<'_> {
        let image = match &entry.image {
            Some(ImageMatch::Exact(image)) => Some(image.as_str()),
            _ => None,
        };
        (
            image,
            entry.namespace.as_deref(),
            entry.deployment.as_deref(),
            entry.container.as_deref(),
            &entry.result_image,
        )
    }

    #[test]
    fn the_parts_of_each_form() {
        for (text, wanted) in [
            ("a=b", (Some("a"), None, None, None, "b")),
            ("a:n:d:c=b", (Some("a"), Some("n"), Some("d"), Some("c"), "b")),
            ("a::Deployment/d=b", (Some("a"), None, Some("Deployment/d"), None, "b")),
            ("localhost:5000/x=y:1", (Some("localhost:5000/x"), None, None, None, "y:1")),
            ("localhost:5000/x:n=y", (Some("localhost:5000/x"), Some("n"), None, None, "y")),
            ("localhost:5000/x:5000:d:c=y", (Some("localhost:5000/x"), Some("5000"), Some("d"), Some("c"), "y")),
            ("a=r:5000/x@sha256:00", (Some("a"), None, None, None, "r:5000/x@sha256:00")),
            ("a=b=c", (Some("a"), None, None, None, "b=c")),
            ("::d=b", (None, None, Some("d"), None, "b")),
            ("=b", (Some(""), None, None, None, "b")),
        ] {
            assert_eq!(parts(&FixedImage::from_flag(text).unwrap()), wanted, "{text}");
        }
    }

    #[test]
    fn other_forms_are_refused() {
        for text in ["noequals", "", "a=", "=", "a:b:c:d:e=f", "localhost:5000/x:n:d:c:e=f", "a:::::=b"] {
            let error = FixedImage::from_flag(text).unwrap_err().to_string();
            assert_eq!(error, "--fixed-image expects 'image<:namespace:deployment:container>=result'", "{text}");
        }
    }
}
