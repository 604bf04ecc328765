//! Flags that every command accepts, before or after the command's name.

use super::flag::{Flag, Kind, Section::Global};

pub(crate) const GLOBAL: &[Flag] = &[
    Flag::new(Global, Kind::Text, "cpu-profile", "Enable CPU profiling and write the result to the given path"),
    Flag::new(Global, Kind::Switch, "debug", "Enable debug logging"),
    Flag::new(Global, Kind::Switch, "gops-agent", "Start gops agent in the background"),
    Flag::new(Global, Kind::Text, "gops-agent-addr", "Specify the address:port to use for the gops agent")
        .default("127.0.0.1:0"),
    Flag::new(Global, Kind::Switch, "no-color", "Disable colored output"),
    Flag::new(Global, Kind::Switch, "no-update-check", "Disable update check on startup"),
    Flag::new(Global, Kind::Switch, "use-system-python", "Use the system Python instead of the embedded Python."),
    Flag::new(
        Global,
        Kind::Text,
        "errors",
        "How errors are shown: 'plain' is the text that scripts know, 'full' adds the source line, where a setting \
         came from and what to do next, 'auto' is 'full' on a terminal and 'plain' elsewhere.",
    )
    .default("auto")
    .hidden(),
];
