//! Unpacks a packaged chart (`.tgz`), trusting nothing in it.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use flate2::read::MultiGzDecoder;
use tar::{Archive, EntryType};

/// Bounds of an archive; Helm's own are the default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArchiveLimits {
    /// Bytes of all files together.
    pub total: u64,
    /// Bytes of one file.
    pub file: u64,
    /// Number of entries.
    pub entries: usize,
}

impl Default for ArchiveLimits {
    fn default() -> Self {
        Self { total: 100 << 20, file: 5 << 20, entries: 50_000 }
    }
}

/// Why a packaged chart is refused.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// It is no gzip-compressed tar file.
    #[error("the chart is no packaged chart (gzip-compressed tar): {0}")]
    Format(io::Error),
    /// A file can not be written.
    #[error("write `{path}` of the chart: {source}")]
    Write {
        /// Relative to the chart.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// A name that leads out of the chart.
    #[error("the chart contains the path `{0}`, which leads out of it")]
    Outside(String),
    /// Links and devices have no place in a packaged chart.
    #[error("the chart contains `{path}`, which is a {kind}; only files and folders are allowed")]
    Kind {
        /// The entry.
        path: String,
        /// What it is.
        kind: &'static str,
    },
    /// It unpacks to more than is sensible.
    #[error("the unpacked chart is larger than {0} bytes")]
    TooLarge(u64),
    /// One of its files is.
    #[error("the file `{path}` of the chart is larger than {limit} bytes")]
    FileTooLarge {
        /// The file.
        path: String,
        /// The bound.
        limit: u64,
    },
    /// It has too many entries.
    #[error("the chart has more than {0} files")]
    TooMany(usize),
    /// There is no `Chart.yaml` in its first folder.
    #[error("the chart has no Chart.yaml")]
    NoChartYaml,
}

/// Unpacks into the empty folder `into`: what the archive has in its one top folder.
pub(crate) fn unpack(archive: impl Read, into: &Path, limits: ArchiveLimits) -> Result<(), ArchiveError> {
    // Padding and headers count too, or a bomb of empty entries would be free.
    let bytes = limits.total.saturating_add(limits.total / 4).saturating_add(1 << 20);
    let mut counted = Counted { inner: MultiGzDecoder::new(archive), left: bytes, exceeded: false };
    let mut budget = Budget { limits, left: limits.total, entries: 0 };
    let outcome = unpack_entries(&mut counted, into, &mut budget);
    if counted.exceeded {
        return Err(ArchiveError::TooLarge(limits.total));
    }
    outcome?;
    if into.join("Chart.yaml").is_file() { Ok(()) } else { Err(ArchiveError::NoChartYaml) }
}

struct Budget {
    limits: ArchiveLimits,
    left: u64,
    entries: usize,
}

/// Ends the stream when more comes out of the decompressor than may.
struct Counted<R> {
    inner: R,
    left: u64,
    exceeded: bool,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        match self.left.checked_sub(read as u64) {
            Some(left) => {
                self.left = left;
                Ok(read)
            }
            None => {
                self.exceeded = true;
                Err(io::Error::other("too large"))
            }
        }
    }
}

fn unpack_entries(stream: impl Read, into: &Path, budget: &mut Budget) -> Result<(), ArchiveError> {
    let mut archive = Archive::new(stream);
    for entry in archive.entries().map_err(ArchiveError::Format)? {
        let mut entry = entry.map_err(ArchiveError::Format)?;
        budget.entries += 1;
        if budget.entries > budget.limits.entries {
            return Err(ArchiveError::TooMany(budget.limits.entries));
        }
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        match entry.header().entry_type() {
            EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {}
            EntryType::Directory | EntryType::XGlobalHeader | EntryType::XHeader => continue,
            kind => return Err(ArchiveError::Kind { path: name, kind: kind_name(kind) }),
        }
        let relative = inside(&name)?;
        // Helm ignores what lies beside the chart's folder as well.
        let Some(relative) = relative else { continue };
        let size = entry.size();
        if size > budget.limits.file {
            return Err(ArchiveError::FileTooLarge { path: name, limit: budget.limits.file });
        }
        budget.left = budget.left.checked_sub(size).ok_or(ArchiveError::TooLarge(budget.limits.total))?;
        write(&mut entry, &into.join(relative)).map_err(|error| match error {
            Broken::Read(source) => ArchiveError::Format(source),
            Broken::Write(source) => ArchiveError::Write { path: name, source },
        })?;
    }
    Ok(())
}

fn kind_name(kind: EntryType) -> &'static str {
    match kind {
        EntryType::Symlink => "symbolic link",
        EntryType::Link => "hard link",
        EntryType::Char | EntryType::Block => "device",
        EntryType::Fifo => "pipe",
        _ => "special file",
    }
}

/// The path below the top folder; nothing for a file that is not in a folder.
fn inside(name: &str) -> Result<Option<PathBuf>, ArchiveError> {
    let outside = || ArchiveError::Outside(name.to_owned());
    // Packed on Windows.
    let slashes = name.replace('\\', "/");
    if slashes.contains('\0') || slashes.split('/').next().is_some_and(|first| first.contains(':')) {
        return Err(outside());
    }
    let mut parts = Vec::new();
    for component in Path::new(&slashes).components() {
        match component {
            Component::CurDir => {}
            Component::Normal(part) => parts.push(part.to_owned()),
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return Err(outside()),
        }
    }
    Ok((parts.len() > 1).then(|| parts.iter().skip(1).collect()))
}

enum Broken {
    Read(io::Error),
    Write(io::Error),
}

fn write(entry: &mut impl Read, path: &Path) -> Result<(), Broken> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(Broken::Write)?;
    }
    let mut file = File::create(path).map_err(Broken::Write)?;
    let mut buffer = [0; 1 << 16];
    loop {
        let read = entry.read(&mut buffer).map_err(Broken::Read)?;
        if read == 0 {
            return Ok(());
        }
        io::Write::write_all(&mut file, &buffer[..read]).map_err(Broken::Write)?;
    }
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use tar::{Builder, Header};

    use super::*;

    enum Entry<'a> {
        File(&'a str, &'a [u8]),
        Link(EntryType, &'a str, &'a str),
    }

    fn packed(entries: &[Entry<'_>]) -> Vec<u8> {
        let mut builder = Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        for entry in entries {
            let mut header = Header::new_ustar();
            header.set_mode(0o644);
            match entry {
                Entry::File(name, content) => {
                    // `set_path` refuses what these tests are about.
                    header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
                    header.set_size(content.len() as u64);
                    header.set_cksum();
                    builder.append(&header, *content).unwrap();
                }
                Entry::Link(kind, name, target) => {
                    header.set_entry_type(*kind);
                    header.set_size(0);
                    builder.append_link(&mut header, name, target).unwrap();
                }
            }
        }
        builder.into_inner().unwrap().finish().unwrap()
    }

    fn outcome(archive: &[u8], limits: ArchiveLimits) -> Result<tempfile::TempDir, String> {
        let dir = tempfile::tempdir().unwrap();
        let into = dir.path().join("chart");
        fs::create_dir(&into).unwrap();
        let result = unpack(archive, &into, limits).map_err(|error| error.to_string());
        let beside: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(beside, ["chart"], "nothing may be written outside");
        result.map(|()| dir)
    }

    fn refusal(entries: &[Entry<'_>]) -> String {
        let chart = Entry::File("c/Chart.yaml", b"name: c");
        let all: Vec<&Entry<'_>> = [&chart].into_iter().chain(entries).collect();
        let all: Vec<Entry<'_>> = all
            .into_iter()
            .map(|entry| match entry {
                Entry::File(name, content) => Entry::File(name, content),
                Entry::Link(kind, name, target) => Entry::Link(*kind, name, target),
            })
            .collect();
        outcome(&packed(&all), ArchiveLimits::default()).unwrap_err()
    }

    #[test]
    fn the_top_folder_is_left_out() {
        let archive = packed(&[
            Entry::File("c/Chart.yaml", b"name: c"),
            Entry::File("c/charts/d/Chart.yaml", b"name: d"),
            Entry::File("beside.txt", b"x"),
        ]);
        let dir = outcome(&archive, ArchiveLimits::default()).unwrap();
        assert_eq!(fs::read(dir.path().join("chart/Chart.yaml")).unwrap(), b"name: c");
        assert!(dir.path().join("chart/charts/d/Chart.yaml").is_file());
        assert!(!dir.path().join("chart/beside.txt").exists());
    }

    #[test]
    fn paths_out_of_the_chart_are_refused() {
        for name in ["../x", "c/../../x", "/etc/x", "c\\..\\..\\x", "C:/x"] {
            assert!(refusal(&[Entry::File(name, b"x")]).contains("leads out of it"), "{name}");
        }
    }

    #[test]
    fn links_are_refused() {
        for kind in [EntryType::Symlink, EntryType::Link] {
            let text = refusal(&[Entry::Link(kind, "c/link", "/etc/passwd")]);
            assert!(text.contains("`c/link`") && text.contains("link; only files and folders"), "{text}");
        }
    }

    #[test]
    fn sizes_are_bounded() {
        let zeros = vec![0; 1 << 20];
        let archive = packed(&[Entry::File("c/Chart.yaml", b"name: c"), Entry::File("c/big", &zeros)]);
        let limits = |total, file, entries| ArchiveLimits { total, file, entries };
        assert!(outcome(&archive, limits(1 << 24, 1 << 19, 9)).unwrap_err().contains("`c/big`"));
        assert!(outcome(&archive, limits(1 << 19, 1 << 24, 9)).unwrap_err().contains("is larger than"));
        assert_eq!(outcome(&archive, limits(1 << 24, 1 << 24, 1)).unwrap_err(), "the chart has more than 1 files");
        assert!(outcome(&archive, limits(1 << 24, 1 << 24, 2)).is_ok());
    }

    #[test]
    fn a_bomb_of_one_folder_is_stopped_while_unpacking() {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        let zeros = vec![0; 1 << 20];
        let mut header = Header::new_ustar();
        header.set_path("c/").unwrap();
        header.set_entry_type(EntryType::Directory);
        header.set_size(64 << 20);
        header.set_cksum();
        io::Write::write_all(&mut encoder, header.as_bytes()).unwrap();
        (0..64).for_each(|_| io::Write::write_all(&mut encoder, &zeros).unwrap());
        let archive = encoder.finish().unwrap();
        let limits = ArchiveLimits { total: 1 << 20, ..ArchiveLimits::default() };
        assert!(outcome(&archive, limits).unwrap_err().contains("larger than"));
    }

    #[test]
    fn what_is_no_chart_is_told() {
        let text = outcome(b"<html>", ArchiveLimits::default()).unwrap_err();
        assert!(text.starts_with("the chart is no packaged chart"), "{text}");
        let text = outcome(&packed(&[Entry::File("c/x", b"")]), ArchiveLimits::default()).unwrap_err();
        assert_eq!(text, "the chart has no Chart.yaml");
        let mut cut = packed(&[Entry::File("c/Chart.yaml", b"name: c")]);
        cut.truncate(cut.len() / 2);
        assert!(outcome(&cut, ArchiveLimits::default()).is_err());
    }
}
