//! The tree of commands and which flag groups each one has (a table, spec 04 section 5).

use super::flag::Flag;
use super::{credentials, gitops, global, helm, image, images, inclusion, misc, oci, project, results};

/// Which code runs a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// Shows help; has sub-commands or is the root.
    Group,
    ImageExplain,
    ImageMarkers,
    ImagePolicy,
    ImageScan,
    ImageTags,
    ImageUpdate,
    Completion(Shell),
    Delete,
    Deploy,
    Diff,
    HelmPull,
    HelmUpdate,
    Help,
    ListImages,
    ListTargets,
    OciPush,
    PokeImages,
    Prune,
    Render,
    Validate,
    Version,
    /// Known, but this version cannot do it.
    NotYet,
}

/// Shell of a completion script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shell {
    Bash,
    Fish,
    #[expect(clippy::enum_variant_names, reason = "it is called so")]
    PowerShell,
    Zsh,
}

/// What may stand behind the command besides flags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operands {
    /// Nothing.
    None,
    /// Command names, for `help`.
    CommandNames,
    /// One word may follow; it is called so in help.
    One(&'static str),
    /// Any number of words may follow; they are called so in help.
    Many(&'static str),
    /// Anything, flags too: the command only tells that it does not exist yet.
    Anything,
}

/// A command or group of commands.
#[derive(Debug)]
pub(crate) struct Command {
    pub(crate) name: &'static str,
    pub(crate) short_help: &'static str,
    /// Second paragraph of the help page; empty for none.
    pub(crate) long_help: &'static str,
    pub(crate) groups: &'static [&'static [Flag]],
    pub(crate) subcommands: &'static [Command],
    pub(crate) operands: Operands,
    pub(crate) action: Action,
}

impl Command {
    /// The command's own flags in table order, without the global ones.
    pub(crate) fn own_flags(&self) -> impl Iterator<Item = &'static Flag> + use<> {
        self.groups.iter().flat_map(|group| group.iter())
    }

    /// All flags that the command accepts.
    pub(crate) fn flags(&self) -> impl Iterator<Item = &'static Flag> + use<> {
        global::GLOBAL.iter().chain(self.own_flags())
    }

    /// Finds a flag by long name.
    pub(crate) fn flag(&self, name: &str) -> Option<&'static Flag> {
        self.flags().find(|flag| flag.name == name)
    }

    /// Finds a flag by its one-letter form.
    pub(crate) fn short_flag(&self, short: char) -> Option<&'static Flag> {
        self.flags().find(|flag| flag.short == Some(short))
    }

    /// Finds a sub-command by name.
    pub(crate) fn subcommand(&self, name: &str) -> Option<&'static Command> {
        self.subcommands.iter().find(|command| command.name == name)
    }
}

type Groups = &'static [&'static [Flag]];

const fn leaf(name: &'static str, action: Action, short_help: &'static str, groups: Groups) -> Command {
    Command { name, short_help, long_help: "", groups, subcommands: &[], operands: Operands::None, action }
}

const fn group(name: &'static str, short_help: &'static str, subcommands: &'static [Command]) -> Command {
    Command {
        name,
        short_help,
        long_help: "",
        groups: &[],
        subcommands,
        operands: Operands::None,
        action: Action::Group,
    }
}

const fn later(name: &'static str, short_help: &'static str) -> Command {
    Command {
        name,
        short_help,
        long_help: "",
        groups: &[],
        subcommands: &[],
        operands: Operands::Anything,
        action: Action::NotYet,
    }
}

impl Command {
    const fn long(self, long_help: &'static str) -> Self {
        Self { long_help, ..self }
    }
}

/// `windlass` itself.
pub(crate) const ROOT: Command = Command {
    name: "",
    short_help: "Deploy and manage complex deployments on Kubernetes",
    long_help: "Renders a project of templates, shows what would change on a cluster, applies it, and keeps its images \
                current. Takes the projects, flags and environment variables of kluctl as they are.",
    groups: &[],
    subcommands: COMMANDS,
    operands: Operands::None,
    action: Action::Group,
};

const COMMANDS: &[Command] = &[
    group("completion", "Generate the autocompletion script for the specified shell", COMPLETIONS).long(
        "Generate the autocompletion script for kluctl for the specified shell.\nSee each sub-command's help for \
         details on how to use the generated script.",
    ),
    group("controller", "Kluctl controller sub-commands", &[
        later("install", "Install the Kluctl controller"),
        later("run", "Run the Kluctl controller"),
    ]),
    leaf("delete", Action::Delete, "Delete a target (or parts of it) from the corresponding cluster", &[
        project::PROJECT_DIR,
        project::PROJECT,
        project::LOCAL_OVERRIDES,
        project::TIMEOUT,
        project::KUBECONFIG,
        project::TARGET,
        project::CONTEXT,
        project::ARGS,
        images::IMAGES,
        inclusion::INCLUSION,
        credentials::GIT,
        credentials::HELM,
        credentials::REGISTRY,
        misc::YES,
        misc::DRY_RUN,
        misc::OUTPUT_FORMAT,
        misc::RENDER_OUTPUT_DIR,
        misc::DISCRIMINATOR,
        misc::NO_WAIT,
        results::RESULTS_READ,
        results::RESULTS_WRITE,
    ])
    .long("Objects are located based on the target discriminator."),
    leaf("deploy", Action::Deploy, "Deploys a target to the corresponding cluster", &[
        project::PROJECT_DIR,
        project::PROJECT,
        project::LOCAL_OVERRIDES,
        project::TIMEOUT,
        project::KUBECONFIG,
        project::TARGET,
        project::CONTEXT,
        project::ARGS,
        images::IMAGES,
        inclusion::INCLUSION,
        credentials::GIT,
        credentials::HELM,
        credentials::REGISTRY,
        misc::YES,
        misc::DRY_RUN,
        misc::FORCE_APPLY,
        misc::REPLACE,
        misc::ABORT,
        misc::HOOK,
        misc::OUTPUT_FORMAT,
        misc::RENDER_OUTPUT_DIR,
        misc::DISCRIMINATOR,
        misc::NO_WAIT,
        misc::PRUNE,
        results::RESULTS_READ,
        results::RESULTS_WRITE,
    ])
    .long(
        "This command will also output a diff between the initial state and the state after deployment. The format of \
         this diff is the same as for the 'diff' command. It will also output a list of prunable objects (without \
         actually deleting them).",
    ),
    leaf("diff", Action::Diff, "Perform a diff between the locally rendered target and the already deployed target", &[
        project::PROJECT_DIR,
        project::PROJECT,
        project::LOCAL_OVERRIDES,
        project::TIMEOUT,
        project::KUBECONFIG,
        project::TARGET,
        project::CONTEXT,
        project::ARGS,
        images::IMAGES,
        inclusion::INCLUSION,
        credentials::GIT,
        credentials::HELM,
        credentials::REGISTRY,
        misc::FORCE_APPLY,
        misc::REPLACE,
        misc::IGNORE,
        misc::OUTPUT_FORMAT,
        misc::RENDER_OUTPUT_DIR,
        misc::DISCRIMINATOR,
    ])
    .long(
        "The output is by default in human readable form (a table combined with unified diffs). The output can also be \
         changed to output a yaml file. All objects are applied in dry-run mode.",
    ),
    group("gitops", "GitOps sub-commands", GITOPS_COMMANDS),
    leaf("helm-pull", Action::HelmPull, "Recursively searches for 'helm-chart.yaml' files and pre-pulls the specified Helm charts", &[
        project::PROJECT_DIR,
        credentials::GIT,
        credentials::HELM,
        credentials::REGISTRY,
    ]),
    leaf("helm-update", Action::HelmUpdate, "Recursively searches for 'helm-chart.yaml' files and checks for new available versions", &[
        project::PROJECT_DIR,
        credentials::GIT,
        credentials::HELM,
        credentials::REGISTRY,
        helm::HELM_UPDATE,
    ]),
    Command {
        operands: Operands::CommandNames,
        ..leaf("help", Action::Help, "Help about any command", &[])
    },
    group("image", "Explain and automate images", &[
    Command {
        operands: Operands::One("image|policy"),
        ..leaf("explain", Action::ImageExplain, "Tells why an image is used, and what became of every tag", &[
            project::PROJECT_DIR,
            project::PROJECT,
            project::LOCAL_OVERRIDES,
            project::TIMEOUT,
            project::KUBECONFIG,
            project::TARGET,
            project::CONTEXT,
            project::ARGS,
            images::IMAGES,
            inclusion::INCLUSION,
            credentials::GIT,
            credentials::HELM,
            credentials::REGISTRY,
            misc::RENDER_OUTPUT_DIR,
            misc::OFFLINE,
            image::AD_HOC,
            image::EXPLAIN,
        ])
    }
    .long(
        "Without a name every image of the target is explained; with one, the calls of images.get_image with this \
         image, or the policy of the project that has the name. With --filter, --semver, --alphabetical or \
         --numerical no project is needed: the tags of the named image are put through that policy.\nNothing is \
         written anywhere.",
    ),
    Command {
        operands: Operands::One("path"),
        ..leaf("markers", Action::ImageMarkers, "Lists every marker with its value, its policy and its state", &[
            project::PROJECT_DIR,
            project::PROJECT,
            project::TIMEOUT,
            credentials::REGISTRY,
            image::RESOURCES,
            image::MARKERS,
            image::FORMAT,
        ])
    }
    .long("With --offline no registry is asked, and the state of a marker says only whether its policy is known."),
    Command {
        operands: Operands::Many("policy"),
        ..leaf("policy", Action::ImagePolicy, "Lists policies with the tag that each elects now", &[
            project::PROJECT_DIR,
            project::PROJECT,
            project::TIMEOUT,
            credentials::REGISTRY,
            image::RESOURCES,
            image::POLICY,
        ])
    }
    .long("With -o fixed-images the elections become a file for --fixed-images-file."),
    Command {
        operands: Operands::Many("policy"),
        ..leaf("scan", Action::ImageScan, "Lists how many tags the repositories of the policies have", &[
            project::PROJECT_DIR,
            project::PROJECT,
            project::TIMEOUT,
            credentials::REGISTRY,
            image::RESOURCES,
            image::FORMAT,
        ])
    },
    Command {
        operands: Operands::One("image"),
        ..leaf("tags", Action::ImageTags, "Lists the tags of an image", &[
            project::TIMEOUT,
            credentials::REGISTRY,
            image::TAGS,
            image::FORMAT,
        ])
    },
    Command {
        operands: Operands::Many("update"),
        ..leaf("update", Action::ImageUpdate, "Sets the tags that policies elect in the files that carry markers", &[
            project::PROJECT_DIR,
            project::PROJECT,
            project::TIMEOUT,
            credentials::REGISTRY,
            image::RESOURCES,
            image::UPDATE,
            image::FORMAT,
        ])
    }
    .long(
        "Without --write only the plan is shown. Exactly the bytes of the values change; either all files are \
         written or none. Exit code 2 means outdated values with --check, 3 that some policies failed while the \
         others were applied.",
    ),
    ]),
    leaf("list-images", Action::ListImages, "Renders the target and outputs all images used via 'images.get_image(...)", &[
        project::PROJECT_DIR,
        project::PROJECT,
        project::LOCAL_OVERRIDES,
        project::TIMEOUT,
        project::KUBECONFIG,
        project::TARGET,
        project::CONTEXT,
        project::ARGS,
        images::IMAGES,
        inclusion::INCLUSION,
        credentials::GIT,
        credentials::HELM,
        credentials::REGISTRY,
        misc::OUTPUT,
        misc::RENDER_OUTPUT_DIR,
        misc::OFFLINE,
        misc::SIMPLE,
    ])
    .long("The result is a compatible with yaml files expected by --fixed-images-file."),
    leaf("list-targets", Action::ListTargets, "Outputs a yaml list with all targets", &[
        project::PROJECT_DIR,
        project::PROJECT,
        project::LOCAL_OVERRIDES,
        project::TIMEOUT,
        misc::OUTPUT,
        misc::ONLY_NAMES,
    ]),
    group("oci", "Oci sub-commands", &[leaf("push", Action::OciPush, "Push to an oci repository", &[
        project::PROJECT_DIR,
        project::TIMEOUT,
        credentials::REGISTRY,
        oci::OCI_PUSH,
    ])]),
    leaf("poke-images", Action::PokeImages, "Replace all images in target", &[
        project::PROJECT_DIR,
        project::PROJECT,
        project::LOCAL_OVERRIDES,
        project::TIMEOUT,
        project::KUBECONFIG,
        project::TARGET,
        project::CONTEXT,
        project::ARGS,
        images::IMAGES,
        inclusion::INCLUSION,
        credentials::GIT,
        credentials::HELM,
        credentials::REGISTRY,
        misc::YES,
        misc::DRY_RUN,
        misc::OUTPUT_FORMAT,
        misc::RENDER_OUTPUT_DIR,
        results::RESULTS_READ,
        results::RESULTS_WRITE,
    ])
    .long(
        "This command will fully render the target and then only replace images instead of fully deploying the target. \
         Only images used in combination with 'images.get_image(...)' are replaced",
    ),
    leaf("prune", Action::Prune, "Searches the target cluster for prunable objects and deletes them", &[
        project::PROJECT_DIR,
        project::PROJECT,
        project::LOCAL_OVERRIDES,
        project::TIMEOUT,
        project::KUBECONFIG,
        project::TARGET,
        project::CONTEXT,
        project::ARGS,
        images::IMAGES,
        inclusion::INCLUSION,
        credentials::GIT,
        credentials::HELM,
        credentials::REGISTRY,
        misc::YES,
        misc::DRY_RUN,
        misc::OUTPUT_FORMAT,
        misc::RENDER_OUTPUT_DIR,
        misc::DISCRIMINATOR,
        results::RESULTS_READ,
        results::RESULTS_WRITE,
    ]),
    leaf("render", Action::Render, "Renders all resources and configuration files", &[
        project::PROJECT_DIR,
        project::PROJECT,
        project::LOCAL_OVERRIDES,
        project::TIMEOUT,
        project::KUBECONFIG,
        project::TARGET,
        project::CONTEXT,
        project::ARGS,
        images::IMAGES,
        inclusion::INCLUSION,
        credentials::GIT,
        credentials::HELM,
        credentials::REGISTRY,
        misc::RENDER_OUTPUT_DIR,
        misc::OFFLINE,
        misc::PRINT_ALL,
    ])
    .long("Renders all resources and configuration files and stores the result in either a temporary directory or a specified directory."),
    leaf("validate", Action::Validate, "Validates the already deployed deployment", &[
        project::PROJECT_DIR,
        project::PROJECT,
        project::LOCAL_OVERRIDES,
        project::TIMEOUT,
        project::KUBECONFIG,
        project::TARGET,
        project::CONTEXT,
        project::ARGS,
        inclusion::INCLUSION,
        credentials::GIT,
        credentials::HELM,
        credentials::REGISTRY,
        misc::OUTPUT,
        misc::RENDER_OUTPUT_DIR,
        misc::VALIDATE,
    ])
    .long("This means that all objects are retrieved from the cluster and checked for readiness."),
    leaf("version", Action::Version, "Print kluctl version", &[]),
    group("webui", "Kluctl Webui sub-commands", &[
        later("build", "Build the static Kluctl Webui"),
        later("run", "Run the Kluctl Webui"),
    ]),
];

const COMPLETIONS: &[Command] = &[
    leaf(
        "bash",
        Action::Completion(Shell::Bash),
        "Generate the autocompletion script for bash",
        &[misc::NO_DESCRIPTIONS],
    )
    .long("Load it with: source <(windlass completion bash)"),
    leaf(
        "fish",
        Action::Completion(Shell::Fish),
        "Generate the autocompletion script for fish",
        &[misc::NO_DESCRIPTIONS],
    )
    .long("Load it with: windlass completion fish | source"),
    leaf(
        "powershell",
        Action::Completion(Shell::PowerShell),
        "Generate the autocompletion script for powershell",
        &[misc::NO_DESCRIPTIONS],
    )
    .long("Load it with: windlass completion powershell | Out-String | Invoke-Expression"),
    leaf("zsh", Action::Completion(Shell::Zsh), "Generate the autocompletion script for zsh", &[misc::NO_DESCRIPTIONS])
        .long("Load it with: source <(windlass completion zsh)"),
];

const GITOPS_COMMANDS: &[Command] = &[
    leaf("deploy", Action::NotYet, "Trigger a GitOps deployment", GITOPS_DEPLOY),
    leaf("diff", Action::NotYet, "Trigger a GitOps diff", GITOPS_DIFF),
    leaf("logs", Action::NotYet, "Show logs from controller", &[gitops::GITOPS, gitops::LOGS, gitops::LOGS_COMMAND]),
    leaf("prune", Action::NotYet, "Trigger a GitOps prune", GITOPS_DIFF),
    leaf("reconcile", Action::NotYet, "Trigger a GitOps reconciliation", GITOPS_DEPLOY),
    leaf("resume", Action::NotYet, "Resume a GitOps deployment", GITOPS_SUSPEND),
    leaf("suspend", Action::NotYet, "Suspend a GitOps deployment", GITOPS_SUSPEND),
    leaf(
        "validate",
        Action::NotYet,
        "Trigger a GitOps validate",
        &[
            gitops::GITOPS,
            gitops::LOGS,
            gitops::TARGET_CONTEXT,
            project::LOCAL_OVERRIDES,
            project::TARGET,
            project::ARGS,
            images::IMAGES,
            inclusion::INCLUSION,
            misc::DRY_RUN,
            misc::FORCE_APPLY,
            misc::REPLACE,
            misc::ABORT,
            misc::OUTPUT,
            misc::WARNINGS_AS_ERRORS,
        ],
    ),
];

const GITOPS_SUSPEND: Groups = &[gitops::GITOPS, gitops::LOGS, misc::OUTPUT_FORMAT, gitops::ALL];

const GITOPS_DIFF: Groups = &[
    gitops::GITOPS,
    gitops::LOGS,
    gitops::TARGET_CONTEXT,
    project::LOCAL_OVERRIDES,
    project::TARGET,
    project::ARGS,
    images::IMAGES,
    inclusion::INCLUSION,
    misc::DRY_RUN,
    misc::FORCE_APPLY,
    misc::REPLACE,
    misc::ABORT,
    misc::OUTPUT_FORMAT,
];

const GITOPS_DEPLOY: Groups = &[
    gitops::GITOPS,
    gitops::LOGS,
    gitops::TARGET_CONTEXT,
    gitops::NO_WAIT_PRUNE,
    project::LOCAL_OVERRIDES,
    project::TARGET,
    project::ARGS,
    images::IMAGES,
    inclusion::INCLUSION,
    misc::DRY_RUN,
    misc::FORCE_APPLY,
    misc::REPLACE,
    misc::ABORT,
    misc::OUTPUT_FORMAT,
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn check(command: &Command, path: &str) {
        let mut names = BTreeSet::from(["help"]);
        let mut shorts = BTreeSet::from(['h']);
        for flag in command.flags() {
            assert!(names.insert(flag.name), "{path}: --{} twice", flag.name);
            assert!(flag.short.is_none_or(|short| shorts.insert(short)), "{path}: -{:?} twice", flag.short);
            let default_is_readable =
                flag.default.is_empty() || crate::args::value::read(flag.kind, flag.default, None).is_ok();
            assert!(default_is_readable, "{path}: default of --{}", flag.name);
        }
        for sub in command.subcommands {
            check(sub, &format!("{path} {}", sub.name));
        }
    }

    #[test]
    fn no_command_has_two_flags_of_one_name() {
        check(&ROOT, "windlass");
    }

    #[test]
    fn commands_are_in_alphabetical_order() {
        let names: Vec<_> = ROOT.subcommands.iter().map(|c| c.name).filter(|n| *n != "poke-images").collect();
        assert!(names.is_sorted(), "{names:?}");
    }

    #[test]
    fn validate_has_no_image_flags() {
        let validate = ROOT.subcommand("validate").expect("validate");
        assert!(validate.flag("fixed-image").is_none());
    }
}
