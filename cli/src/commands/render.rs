//! `render`: writes the rendered project to a folder, or all objects to stdout.

use super::output;
use crate::app::App;
use crate::diagnostics::Failure;
use crate::interrupt::{self, Stopping};
use crate::printer::Mark;
use crate::settings::RenderSettings;
use crate::wire;

pub(super) fn run(app: &App, settings: RenderSettings) -> Result<(), Failure> {
    let (limit, print_all) = (settings.common.project.timeout, settings.print_all);
    let shown_dir = settings.common.render_output_dir.clone();
    let task = app.clone();
    let rendered =
        interrupt::run(
            limit,
            Stopping::AtOnce,
            move |stop| async move { wire::render(&task, &settings, &stop).await },
        )?
        .value;
    if print_all {
        return output::stdout(app, &windlass_yaml::to_string_documents(&rendered.objects));
    }
    let dir = shown_dir.unwrap_or(rendered.dir);
    app.printer.line(Mark::Success, &format!("Rendered into {}", dir.display()));
    Ok(())
}
