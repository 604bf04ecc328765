//! Global functions.

use minijinja::Environment;

use crate::ports::Ports;

pub(crate) fn register(environment: &mut Environment<'static>, ports: &Ports) {
    let _ = (environment, ports);
}
