//! Unpacks the layer of an artifact: a compressed archive that nobody has to trust.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Component, Path, PathBuf};

use flate2::read::MultiGzDecoder;
use tar::{Archive, EntryType};

/// What an archive may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnpackLimits {
    /// Bytes of the compressed archive.
    pub packed: u64,
    /// Bytes of all files.
    pub total: u64,
    /// Files and directories.
    pub entries: u64,
    /// Directories in each other.
    pub depth: usize,
}

impl Default for UnpackLimits {
    fn default() -> Self {
        Self { packed: 256 << 20, total: 1 << 30, entries: 200_000, depth: 128 }
    }
}

/// Why an archive is not unpacked.
#[derive(Debug, thiserror::Error)]
pub enum UnpackError {
    /// Not a compressed archive.
    #[error("the first layer is no gzip archive, so it can not be used as a project")]
    NotGzip,
    /// A path that leads out of the archive.
    #[error("refused to unpack `{path}`: the path leads out of the archive")]
    Outside {
        /// The path.
        path: String,
    },
    /// A device, hard link or the like.
    #[error("refused to unpack `{path}`: {kind} is neither a file nor a directory")]
    Special {
        /// The path.
        path: String,
        /// What it is.
        kind: String,
    },
    /// More than may be unpacked.
    #[error("refused to unpack `{path}`: the archive holds more than {limit} {what}")]
    TooLarge {
        /// The entry at which the limit was reached.
        path: String,
        /// The limit.
        limit: u64,
        /// Of what.
        what: &'static str,
    },
    /// The archive is broken.
    #[error("unpack: {0}")]
    Broken(#[source] io::Error),
    /// A file cannot be written.
    #[error("write `{}`: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
}

/// Unpacks into `dir`, which must be empty. Symbolic links are left out, as in upstream.
///
/// # Errors
/// See [`UnpackError`].
pub(crate) fn unpack(packed: &mut (impl Read + io::Seek), dir: &Path, limits: UnpackLimits) -> Result<(), UnpackError> {
    let mut magic = [0; 2];
    let is_gzip = packed.read_exact(&mut magic).is_ok() && magic == [0x1f, 0x8b];
    if !is_gzip {
        return Err(UnpackError::NotGzip);
    }
    packed.rewind().map_err(UnpackError::Broken)?;
    // Headers and padding count too: an archive of nothing but names ends as well.
    let most = limits.total.saturating_add(limits.entries.saturating_mul(4096));
    let mut archive = Archive::new(MultiGzDecoder::new(packed).take(most));
    let mut unpacker = Unpacker { dir, limits, total: 0, entries: 0 };
    for entry in archive.entries().map_err(UnpackError::Broken)? {
        unpacker.entry(entry.map_err(UnpackError::Broken)?)?;
    }
    Ok(())
}

struct Unpacker<'a> {
    dir: &'a Path,
    limits: UnpackLimits,
    total: u64,
    entries: u64,
}

impl Unpacker<'_> {
    fn entry(&mut self, mut entry: tar::Entry<'_, impl Read>) -> Result<(), UnpackError> {
        let path = entry.path().map_err(UnpackError::Broken)?.into_owned();
        let text = path.display().to_string();
        self.entries += 1;
        if self.entries > self.limits.entries {
            return Err(UnpackError::TooLarge { path: text, limit: self.limits.entries, what: "entries" });
        }
        let kind = entry.header().entry_type();
        if matches!(kind, EntryType::Symlink | EntryType::XGlobalHeader) {
            return Ok(());
        }
        let target = self.target(&path)?;
        match kind {
            EntryType::Directory => fs::create_dir_all(&target).map_err(write_error(&target)),
            EntryType::Regular | EntryType::Continuous => self.file(&mut entry, &target, &text),
            other => Err(UnpackError::Special { path: text, kind: format!("{other:?}") }),
        }
    }

    /// Nothing but plain names below the folder; no link exists in it, so nothing can lead elsewhere.
    fn target(&self, path: &Path) -> Result<PathBuf, UnpackError> {
        let outside = || UnpackError::Outside { path: path.display().to_string() };
        let mut target = self.dir.to_path_buf();
        let mut depth = 0;
        for part in path.components() {
            match part {
                Component::Normal(name) => {
                    target.push(name);
                    depth += 1;
                }
                Component::CurDir => {}
                Component::ParentDir | Component::RootDir | Component::Prefix(_) => return Err(outside()),
            }
        }
        if depth > self.limits.depth {
            let limit = self.limits.depth as u64;
            return Err(UnpackError::TooLarge { path: path.display().to_string(), limit, what: "nested directories" });
        }
        Ok(target)
    }

    /// Counts what really comes: sizes in headers can lie.
    fn file(&mut self, entry: &mut impl Read, target: &Path, text: &str) -> Result<(), UnpackError> {
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent).map_err(write_error(parent))?;
        }
        let mut file = File::create(target).map_err(write_error(target))?;
        let mut buffer = vec![0; 64 << 10];
        loop {
            let read = entry.read(&mut buffer).map_err(UnpackError::Broken)?;
            if read == 0 {
                return Ok(());
            }
            self.total += read as u64;
            if self.total > self.limits.total {
                let limit = self.limits.total;
                return Err(UnpackError::TooLarge { path: text.to_owned(), limit, what: "bytes" });
            }
            file.write_all(&buffer[..read]).map_err(write_error(target))?;
        }
    }
}

fn write_error(path: &Path) -> impl FnOnce(io::Error) -> UnpackError {
    let path = path.to_path_buf();
    move |source| UnpackError::Write { path, source }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    /// An archive of entries with any path, as no archiver would write them.
    fn packed(entries: &[(&str, EntryType, &[u8])]) -> Cursor<Vec<u8>> {
        let mut builder = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        for (path, kind, content) in entries {
            let mut header = tar::Header::new_ustar();
            header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
            header.set_entry_type(*kind);
            header.set_size(content.len() as u64);
            header.set_mode(0o644);
            if matches!(kind, EntryType::Symlink | EntryType::Link) {
                header.set_link_name("/etc/passwd").unwrap();
            }
            header.set_cksum();
            builder.append(&header, *content).unwrap();
        }
        Cursor::new(builder.into_inner().unwrap().finish().unwrap())
    }

    fn refusal(entries: &[(&str, EntryType, &[u8])], limits: UnpackLimits) -> UnpackError {
        let outer = tempfile::tempdir().unwrap();
        let dir = outer.path().join("in");
        fs::create_dir(&dir).unwrap();
        let error = unpack(&mut packed(entries), &dir, limits).unwrap_err();
        assert_eq!(fs::read_dir(outer.path()).unwrap().count(), 1, "nothing is written outside");
        error
    }

    const ANY: UnpackLimits = UnpackLimits { packed: 1 << 20, total: 1 << 20, entries: 100, depth: 10 };

    #[test]
    fn files_and_directories_are_unpacked_and_links_left_out() {
        let dir = tempfile::tempdir().unwrap();
        let entries: [(&str, EntryType, &[u8]); 4] = [
            ("./a/", EntryType::Directory, b""),
            ("a/b", EntryType::Regular, b"1"),
            ("link", EntryType::Symlink, b""),
            ("c/d/e", EntryType::Regular, b"2"),
        ];
        unpack(&mut packed(&entries), dir.path(), ANY).unwrap();
        assert_eq!(fs::read(dir.path().join("a/b")).unwrap(), b"1");
        assert_eq!(fs::read(dir.path().join("c/d/e")).unwrap(), b"2");
        assert!(dir.path().join("link").symlink_metadata().is_err());
    }

    #[test]
    fn paths_that_lead_out_are_refused() {
        for path in ["../a", "a/../../b", "/a"] {
            let error = refusal(&[(path, EntryType::Regular, b"1")], ANY);
            assert!(matches!(error, UnpackError::Outside { .. }), "{path}: {error}");
        }
    }

    #[test]
    fn special_files_are_refused() {
        for kind in [EntryType::Link, EntryType::Fifo, EntryType::Char, EntryType::Block] {
            let error = refusal(&[("a", kind, b"")], ANY);
            assert!(matches!(error, UnpackError::Special { .. }), "{kind:?}: {error}");
        }
    }

    #[test]
    fn a_bomb_is_refused() {
        let zeros = vec![0; 3 << 20];
        let error = refusal(&[("a", EntryType::Regular, &zeros)], ANY);
        assert_eq!(error.to_string(), "refused to unpack `a`: the archive holds more than 1048576 bytes");
        let many: Vec<String> = (0..101).map(|i| format!("f{i}")).collect();
        let many: Vec<(&str, EntryType, &[u8])> =
            many.iter().map(|name| (name.as_str(), EntryType::Regular, &b""[..])).collect();
        assert!(refusal(&many, ANY).to_string().ends_with("more than 100 entries"));
        let deep = "d/".repeat(11) + "f";
        assert!(refusal(&[(&deep, EntryType::Regular, b"")], ANY).to_string().ends_with("nested directories"));
    }

    #[test]
    fn anything_else_is_no_project() {
        let dir = tempfile::tempdir().unwrap();
        let of = |bytes: &[u8]| unpack(&mut Cursor::new(bytes.to_vec()), dir.path(), ANY);
        assert!(matches!(of(b"text"), Err(UnpackError::NotGzip)));
        assert!(matches!(of(b""), Err(UnpackError::NotGzip)));
        let half = packed(&[("a", EntryType::Regular, &[7; 5000])]).into_inner();
        assert!(matches!(of(&half[..half.len() / 2]), Err(UnpackError::Broken(_))));
    }
}
