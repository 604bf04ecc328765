//! Where Helm and Kustomize find the rendered files.
//!
//! That is the output directory, unless something was decrypted: then it is a private folder that goes when rendering
//! is over, and a directory that the user keeps gets the encrypted files.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::charts::ChartOutputs;
use super::encrypted::Files;
use super::{RenderError, RenderRequest, RenderedFiles, remote_bases, templates};
use crate::ports::PrivateFolder;
use crate::tree::ItemNode;

/// The places of the rendered files of one run.
pub(super) struct Written {
    kept: PathBuf,
    private: Option<Box<dyn PrivateFolder>>,
    wanted: RenderedFiles,
}

impl Written {
    /// What Helm and Kustomize read.
    pub(super) fn build_dir(&self) -> &Path {
        self.private.as_ref().map_or(&self.kept, |folder| folder.path())
    }

    /// Copies what Helm and Kustomize wrote to the directory that the user keeps.
    pub(super) fn keep_generated(&self, items: &[Arc<ItemNode>], outputs: &[ChartOutputs]) -> Result<(), RenderError> {
        let (Some(private), RenderedFiles::Wanted) = (&self.private, self.wanted) else { return Ok(()) };
        for (item, outputs) in items.iter().zip(outputs) {
            let Some(place) = &item.render_dir else { continue };
            let charts = outputs.iter().map(|output| {
                let dir = Path::new(&output.config).parent().unwrap_or(Path::new(""));
                dir.join(&output.output)
            });
            for file in charts.chain(["kustomization.yml".into(), "kustomization.yaml".into()]) {
                let (from, to) = (private.path().join(place).join(&file), self.kept.join(place).join(&file));
                if from.is_file() {
                    std::fs::copy(&from, &to).map_err(|source| RenderError::OutputDir { path: to, source })?;
                }
            }
        }
        let sources: BTreeSet<usize> = items.iter().map(|item| item.source.id).collect();
        for id in sources.iter().map(usize::to_string) {
            let (from, to) = (private.path().join(&id), self.kept.join(&id));
            remote_bases::keep(&from, &to).map_err(|source| RenderError::OutputDir { path: to, source })?;
        }
        Ok(())
    }
}

/// Writes what somebody will read.
pub(super) fn write(
    items: &[Arc<ItemNode>],
    files: &Files,
    needs_files: bool,
    request: RenderRequest<'_>,
) -> Result<Written, RenderError> {
    let mut written = Written { kept: request.output_dir.to_owned(), private: None, wanted: request.files };
    let is_split = files.has_secrets() && needs_files;
    if is_split {
        let folder = request.decryption.private_folder().map_err(RenderError::PrivateFolder)?;
        let private = RenderRequest { output_dir: folder.path(), ..request };
        clean(items, folder.path())?;
        templates::write_all(items, files.clear(), private)?;
        written.private = Some(folder);
    }
    if request.files == RenderedFiles::Wanted || (needs_files && !is_split) {
        clean(items, request.output_dir)?;
        templates::write_all(items, &files.rendered, request)?;
    }
    Ok(written)
}

/// Removes what an earlier run left in the places this run writes to.
fn clean(items: &[Arc<ItemNode>], output_dir: &Path) -> Result<(), RenderError> {
    let sources: BTreeSet<usize> = items.iter().map(|item| item.source.id).collect();
    for dir in sources.iter().map(|id| output_dir.join(id.to_string())) {
        let failed = |source| RenderError::OutputDir { path: dir.clone(), source };
        if dir.exists() {
            std::fs::remove_dir_all(&dir).map_err(failed)?;
        }
        std::fs::create_dir_all(&dir).map_err(failed)?;
    }
    Ok(())
}
