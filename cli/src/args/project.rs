//! Flags that say which project, which target and which arguments.

use super::flag::{Flag, Kind, Section::Project};

pub(crate) const PROJECT_DIR: &[Flag] = &[Flag::new(
    Project,
    Kind::ExistingDir,
    "project-dir",
    "Specify the project directory. Defaults to the current working directory.",
)];

pub(crate) const TIMEOUT: &[Flag] = &[Flag::new(
    Project,
    Kind::Duration,
    "timeout",
    "Specify timeout for all operations, including loading of the project, all external api calls and waiting for \
     readiness. 0 means no limit.",
)
.default("10m")];

pub(crate) const PROJECT: &[Flag] = &[
    Flag::new(
        Project,
        Kind::ExistingFile,
        "project-config",
        "Location of the .kluctl.yaml config file. Defaults to $PROJECT/.kluctl.yaml",
    )
    .short('c'),
    Flag::new(
        Project,
        Kind::Duration,
        "git-cache-update-interval",
        "Specify the time to wait between git cache updates. Defaults to not wait at all and always updating caches.",
    )
    .default("0"),
];

pub(crate) const LOCAL_OVERRIDES: &[Flag] = &[
    Flag::new(
        Project,
        Kind::List,
        "local-git-override",
        "Specify a single repository local git override in the form of 'github.com/my-org/my-repo=/local/path'. This \
         will cause kluctl to not use git to clone for the specified repository but instead use the local directory.",
    ),
    Flag::new(
        Project,
        Kind::List,
        "local-git-group-override",
        "Same as --local-git-override, but for a whole group prefix instead of a single repository. All repositories \
         that have the given prefix will be overridden with the given local path and the repository suffix appended.",
    ),
    Flag::new(Project, Kind::List, "local-oci-override", "Same as --local-git-override, but for OCI repositories."),
    Flag::new(
        Project,
        Kind::List,
        "local-oci-group-override",
        "Same as --local-git-group-override, but for OCI repositories.",
    ),
];

pub(crate) const KUBECONFIG: &[Flag] =
    &[Flag::new(Project, Kind::ExistingFile, "kubeconfig", "Overrides the kubeconfig to use.")];

pub(crate) const TARGET: &[Flag] = &[
    Flag::new(Project, Kind::Text, "target", "Target name to run command for. Target must exist in .kluctl.yaml.")
        .short('t'),
    Flag::new(
        Project,
        Kind::Text,
        "target-name-override",
        "Overrides the target name. If -t is used at the same time, then the target will be looked up based on -t \
         <name> and then renamed to the value of -T. If no target is specified via -t, then the no-name target is \
         renamed to the value of -T.",
    )
    .short('T'),
];

pub(crate) const CONTEXT: &[Flag] = &[Flag::new(
    Project,
    Kind::Text,
    "context",
    "Overrides the context name specified in the target. If the selected target does not specify a context or the \
     no-name target is used, --context will override the currently active context.",
)];

pub(crate) const ARGS: &[Flag] = &[
    Flag::new(
        Project,
        Kind::List,
        "arg",
        "Passes a template argument in the form of name=value. Nested args can be set with the '-a \
         my.nested.arg=value' syntax. Values are interpreted as yaml values, meaning that 'true' and 'false' will \
         lead to boolean values and numbers will be treated as numbers. Use quotes if you want these to be treated as \
         strings. If the value starts with @, it is treated as a file, meaning that the contents of the file will be \
         loaded and treated as yaml.",
    )
    .short('a'),
    Flag::new(
        Project,
        Kind::List,
        "args-from-file",
        "Loads a yaml file and makes it available as arguments, meaning that they will be available thought the \
         global 'args' variable. '-' reads stdin.",
    ),
];
