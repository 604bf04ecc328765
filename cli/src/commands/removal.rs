//! The list and the question that `prune` and `delete` share.

use std::fmt::Write;

use windlass_model::object_ref::ObjectRef;

use crate::app::App;
use crate::printer::Mark;
use crate::prompts;
use crate::settings::Caution;

/// Shows what will be deleted, and asks unless that is unwanted.
pub(super) fn confirm(app: &App, caution: Caution, objects: &[ObjectRef]) -> bool {
    show(app, objects);
    if !caution.asks() {
        return true;
    }
    let question = format!("Do you really want to delete {} objects?", objects.len());
    prompts::confirm(&app.printer, &question)
}

fn show(app: &App, objects: &[ObjectRef]) {
    app.printer.line(Mark::Info, "The following objects will be deleted:");
    let mut list = String::new();
    for object in objects {
        let _ = writeln!(list, "  {object}");
    }
    app.printer.raw(&list);
}
