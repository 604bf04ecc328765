//! `helm-pull`: fills `.helm-charts`.

use crate::app::App;
use crate::diagnostics::Failure;
use crate::interrupt::{self, Stopping};
use crate::settings::HelmSettings;
use crate::wire;

pub(super) fn run(app: &App, settings: HelmSettings) -> Result<(), Failure> {
    let task = app.clone();
    let work = move |_| async move { wire::helm_pull(&task, &settings).await };
    let failed = interrupt::run(None, Stopping::AtOnce, work)?.value;
    if failed == 0 { Ok(()) } else { Err(Failure::ResultHasErrors) }
}
