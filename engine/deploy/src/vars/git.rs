//! `git`: a YAML file of another repository, read as `file` reads one of the project.

use serde_json::Value;
use windlass_model::source::{GitSource, GitUrl, GitVars};
use windlass_model::vars_source::VarsSource;
use windlass_template::Vars;

use super::{VarsContext, VarsError, file};
use crate::source_tree::SourceTree;

/// Reads the file; `None` when it is absent and that is tolerated. A missing repository never is.
pub(super) async fn read(
    git: &GitVars,
    source: &VarsSource,
    vars: &Vars,
    context: &VarsContext<'_>,
) -> Result<Option<Value>, VarsError> {
    let url = GitUrl::parse(&git.url)?;
    let checked_out = context.sources.git(&GitSource { url, reference: git.reference.clone() }).await?;
    let root = &checked_out.root;
    // Never the root of a project that is rendered, so the number does not matter.
    let tree = SourceTree { id: context.source.id, root: root.clone() };
    let inside = VarsContext { source: &tree, search_dirs: std::slice::from_ref(root), ..*context };
    file::read(git.path.trim_start_matches('/'), source, vars, &inside).await
}
