//! Blobs: download with a limit and a check, upload unless they are there.

use bytes::Bytes;
use reqwest::Method;

use crate::artifact::{BlobSink, Download, PushedBlob};
use crate::digest::sha256_digest;
use crate::error::RegistryError;
use crate::session::{Access, Call, Outcome, Session};

impl Session<'_> {
    pub(crate) async fn fetch_blob(&self, digest: &str, limit: u64, sink: &mut dyn BlobSink) -> Outcome<u64> {
        let mut download = Download::new(digest, limit, sink)?;
        // Unpacked on the way, the bytes would have another digest.
        let mut call = Call::get(self.url(&format!("blobs/{digest}"))?).with("accept-encoding", "identity");
        call.long = true;
        let answer = self.fetch_into(&call, Some(&mut download)).await?;
        match answer.status {
            200 => {}
            404 => {
                return Err(RegistryError::ManifestNotFound {
                    repository: self.repository.to_string(),
                    reference: digest.to_owned(),
                    message: answer.message(),
                });
            }
            _ => return Err(self.status(&answer)),
        }
        let (got, size) = download.finish();
        self.same_digest(digest, got)?;
        Ok(size)
    }

    pub(crate) async fn push_blob(&self, content: Bytes) -> Outcome<PushedBlob> {
        let pushed = PushedBlob { digest: sha256_digest(&content), size: content.len() as u64 };
        if self.has_blob(&pushed.digest).await? {
            return Ok(pushed);
        }
        let start = self.url("blobs/uploads/")?;
        let answer = self.fetch(&Call::new(Method::POST, start.clone()).pushing(None)).await?;
        if !matches!(answer.status, 201 | 202) {
            return Err(self.status(&answer));
        }
        let place = answer.header("location").next().and_then(|place| start.join(place).ok());
        let mut place = place.ok_or_else(|| self.invalid("an upload without a place to go to"))?;
        if self.base.scheme() == "https" && place.scheme() == "http" && place.port().is_none() {
            // Behind a proxy that ends TLS; cannot fail between two special schemes.
            let _ = place.set_scheme("https");
        }
        place.query_pairs_mut().append_pair("digest", &pushed.digest);
        let call =
            Call::new(Method::PUT, place).with("content-type", "application/octet-stream").pushing(Some(content));
        let answer = self.fetch(&call).await?;
        if (200..300).contains(&answer.status) {
            return Ok(pushed);
        }
        // An attempt whose answer was lost has ended the upload already.
        if answer.status == 404 && self.has_blob(&pushed.digest).await? {
            return Ok(pushed);
        }
        Err(self.status(&answer))
    }

    async fn has_blob(&self, digest: &str) -> Outcome<bool> {
        let mut call = Call::new(Method::HEAD, self.url(&format!("blobs/{digest}"))?);
        call.access = Access::Push;
        Ok(self.fetch(&call).await?.status == 200)
    }
}
