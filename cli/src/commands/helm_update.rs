//! `helm-update`: tells of newer charts, and on demand takes them.

use crate::app::App;
use crate::diagnostics::Failure;
use crate::interrupt::{self, Stopping};
use crate::prompts;
use crate::settings::HelmSettings;
use crate::wire::{self, Answer};

pub(super) fn run(app: &App, settings: HelmSettings) -> Result<(), Failure> {
    let task = app.clone();
    let work = move |_| async move {
        let printer = task.printer.clone();
        let ask: Answer = Box::new(move |choice| {
            let question =
                format!("{}: Do you want to upgrade Chart {} to version {}?", choice.dir, choice.chart, choice.new);
            prompts::confirm(&printer, &question)
        });
        wire::helm_update(&task, &settings, ask).await
    };
    let failed = interrupt::run(None, Stopping::AtOnce, work)?.value;
    if failed == 0 { Ok(()) } else { Err(Failure::ResultHasErrors) }
}
