//! Artifacts: manifests and blobs as they are, to fetch and to push.

use std::fs::File;
use std::io::{self, Seek as _, Write as _};

use bytes::Bytes;

use crate::digest::Hasher;
use crate::http::Broken;
use crate::{RegistryError, Repository};

/// A manifest or index as the registry has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestDocument {
    /// The document, byte by byte: its digest is over these.
    pub bytes: Vec<u8>,
    /// Of the bytes; the same as asked for when a digest was asked for.
    pub digest: String,
    /// What the registry, or else the document, says it is.
    pub media_type: String,
}

/// What a manifest says about a blob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushedBlob {
    /// `sha256:…`.
    pub digest: String,
    /// In bytes.
    pub size: u64,
}

/// Where a blob goes. A download that breaks off starts again from the beginning.
pub trait BlobSink: Send {
    /// Forgets what was written.
    fn restart(&mut self) -> io::Result<()>;

    /// Takes the next piece.
    fn write(&mut self, piece: &[u8]) -> io::Result<()>;
}

impl BlobSink for Vec<u8> {
    fn restart(&mut self) -> io::Result<()> {
        self.clear();
        Ok(())
    }

    fn write(&mut self, piece: &[u8]) -> io::Result<()> {
        self.extend_from_slice(piece);
        Ok(())
    }
}

/// The file is emptied first.
impl BlobSink for File {
    fn restart(&mut self) -> io::Result<()> {
        self.set_len(0)?;
        self.rewind()
    }

    fn write(&mut self, piece: &[u8]) -> io::Result<()> {
        self.write_all(piece)
    }
}

/// Charts, projects and other content that is stored in a registry.
///
/// What is fetched is what its digest says, or an error; `reference` is a tag or a digest.
#[async_trait::async_trait]
pub trait Artifacts: Send + Sync {
    /// A manifest or index, as it is.
    async fn manifest_document(
        &self,
        repository: &Repository,
        reference: &str,
    ) -> Result<ManifestDocument, RegistryError>;

    /// A blob of at most `limit` bytes; answers its size.
    ///
    /// After an error the sink may hold a part of it.
    async fn fetch_blob(
        &self,
        repository: &Repository,
        digest: &str,
        limit: u64,
        sink: &mut dyn BlobSink,
    ) -> Result<u64, RegistryError>;

    /// Uploads a blob, unless the repository has it.
    async fn push_blob(&self, repository: &Repository, content: Bytes) -> Result<PushedBlob, RegistryError>;

    /// Uploads a manifest, whose blobs are there already, under a tag or its digest; answers its digest.
    async fn push_manifest(
        &self,
        repository: &Repository,
        reference: &str,
        media_type: &str,
        document: Bytes,
    ) -> Result<String, RegistryError>;
}

/// A blob on its way into a sink.
pub(crate) struct Download<'d> {
    sink: &'d mut dyn BlobSink,
    limit: u64,
    hasher: Hasher,
    received: u64,
}

impl<'d> Download<'d> {
    pub(crate) fn new(digest: &str, limit: u64, sink: &'d mut dyn BlobSink) -> Result<Self, RegistryError> {
        Ok(Self { sink, limit, hasher: Hasher::expecting(digest)?, received: 0 })
    }

    /// Digest and size of what came.
    pub(crate) fn finish(mut self) -> (String, u64) {
        (self.hasher.finish(), self.received)
    }

    pub(crate) async fn receive(&mut self, mut response: reqwest::Response) -> Result<(), Broken> {
        let failed = |error: io::Error| Broken::Sink(error.to_string());
        let _ = self.hasher.finish();
        self.received = 0;
        self.sink.restart().map_err(failed)?;
        if response.content_length().is_some_and(|length| length > self.limit) {
            return Err(Broken::TooLarge { limit: self.limit });
        }
        while let Some(piece) = response.chunk().await.map_err(Broken::Connection)? {
            self.received += piece.len() as u64;
            if self.received > self.limit {
                return Err(Broken::TooLarge { limit: self.limit });
            }
            self.hasher.update(&piece);
            self.sink.write(&piece).map_err(failed)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn sinks_start_again() {
        let mut memory = Vec::new();
        let mut file = tempfile::tempfile().unwrap();
        for sink in [&mut memory as &mut dyn BlobSink, &mut file] {
            sink.write(b"first try").unwrap();
            sink.restart().unwrap();
            sink.write(b"se").unwrap();
            sink.write(b"cond").unwrap();
        }
        assert_eq!(memory, b"second");
        let mut content = String::new();
        file.rewind().unwrap();
        file.read_to_string(&mut content).unwrap();
        assert_eq!(content, "second");
    }
}
