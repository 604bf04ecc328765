//! What one flag is: name, value type, default, help text and where else its value may come from.

/// Type of a flag's value; decides how the text is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Any text.
    Text,
    /// Any text, may be repeated.
    List,
    /// No value means true.
    Switch,
    /// Whole number, base by prefix.
    Int,
    /// `1h30m`.
    Duration,
    /// Path of a file that exists.
    ExistingFile,
    /// Path of a directory that exists.
    ExistingDir,
}

impl Kind {
    /// Name shown in help.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Text => "string",
            Self::List => "stringArray",
            Self::Switch => "",
            Self::Int => "int",
            Self::Duration => "duration",
            Self::ExistingFile => "existingfile",
            Self::ExistingDir => "existingdir",
        }
    }
}

/// Section of the help page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Section {
    Global,
    Project,
    Images,
    Policy,
    Inclusion,
    GitOps,
    Misc,
    Results,
    Logs,
    Override,
    Git,
    Helm,
    Registry,
}

impl Section {
    /// Heading without ` arguments:`.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Global => "Global",
            Self::Project => "Project",
            Self::Images => "Image",
            Self::Policy => "Policy",
            Self::Inclusion => "Inclusion/Exclusion",
            Self::GitOps => "GitOps",
            Self::Misc => "Misc",
            Self::Results => "Command Results",
            Self::Logs => "Log",
            Self::Override => "GitOps overrides",
            Self::Git => "Git",
            Self::Helm => "Helm",
            Self::Registry => "Registry",
        }
    }
}

/// One flag of one or more commands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Flag {
    /// Long name without dashes.
    pub(crate) name: &'static str,
    /// Short form.
    pub(crate) short: Option<char>,
    /// Value type.
    pub(crate) kind: Kind,
    /// Default as text; empty means none.
    pub(crate) default: &'static str,
    /// Section of the help page.
    pub(crate) section: Section,
    /// Whether environment variables and the config file may set it.
    pub(crate) from_everywhere: bool,
    /// Must be set.
    pub(crate) required: bool,
    /// Left out of help and completion.
    pub(crate) hidden: bool,
    /// Help text.
    pub(crate) help: &'static str,
}

impl Flag {
    /// A flag that takes a value of `kind`.
    pub(crate) const fn new(section: Section, kind: Kind, name: &'static str, help: &'static str) -> Self {
        Self {
            name,
            short: None,
            kind,
            default: "",
            section,
            from_everywhere: true,
            required: false,
            hidden: false,
            help,
        }
    }

    /// With a one-letter form.
    pub(crate) const fn short(self, short: char) -> Self {
        Self { short: Some(short), ..self }
    }

    /// With a default.
    pub(crate) const fn default(self, default: &'static str) -> Self {
        Self { default, ..self }
    }

    /// Must be set.
    pub(crate) const fn required(self) -> Self {
        Self { required: true, ..self }
    }

    /// Left out of help and completion.
    pub(crate) const fn hidden(self) -> Self {
        Self { hidden: true, ..self }
    }

    /// Read from the command line only.
    pub(crate) const fn only_on_command_line(self) -> Self {
        Self { from_everywhere: false, ..self }
    }

    /// `-t, --target`, the form in which errors name the flag.
    pub(crate) fn display(&self) -> String {
        match self.short {
            Some(short) => format!("-{short}, --{}", self.name),
            None => format!("--{}", self.name),
        }
    }
}
