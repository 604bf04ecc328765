//! The configured engine and its runs.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, OnceLock};

use minijinja::value::{Object, Value, ValueKind};
use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use windlass_model::location::{Location, Source};

use crate::error::{ErrorKind, TemplateError};
use crate::failure::{INLINE_NAME, Rendering, convert};
use crate::loading::{read_template, unix_lines};
use crate::ports::Ports;
use crate::scope::{self, Keep, Scope, Sources};
use crate::search::SearchPath;
use crate::translate::Purpose;
use crate::value::{Root, py_str};
use crate::vars::Vars;
use crate::{filters, functions, methods, translate};

/// What one template may use up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Engine steps of one render.
    pub fuel: u64,
    /// Nesting of includes, macros and recursive loops.
    pub depth: usize,
    /// Bytes of output of one render.
    pub output: usize,
    /// Bytes and items that functions of one render may go through.
    pub work: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { fuel: 50_000_000, depth: 400, output: 64 << 20, work: 400_000_000 }
    }
}

/// How templates are rendered in this run.
#[derive(Debug, Clone, Copy, Default)]
pub struct EngineOptions {
    /// Limits of each template.
    pub limits: Limits,
}

/// Renders templates; shared by all threads of a run.
#[derive(Clone)]
pub struct Engine {
    shared: Arc<Shared>,
}

struct Shared {
    rendering: Machine,
    /// Set up when the first undefined value needs an explanation.
    explaining: OnceLock<Machine>,
    ports: Ports,
    options: EngineOptions,
}

/// An environment with the templates that it compiled.
struct Machine {
    environment: Environment<'static>,
    sources: Arc<Sources>,
    purpose: Purpose,
}

impl Machine {
    fn new(limits: Limits, ports: &Ports, purpose: Purpose) -> Self {
        let sources = Arc::<Sources>::default();
        Self { environment: environment(limits, ports, sources.clone(), purpose), sources, purpose }
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("options", &self.shared.options).finish_non_exhaustive()
    }
}

impl Engine {
    /// Sets up filters and functions; reads nothing.
    pub fn new(options: EngineOptions, ports: Ports) -> Self {
        let rendering = Machine::new(options.limits, &ports, Purpose::Render);
        Self { shared: Arc::new(Shared { rendering, explaining: OnceLock::new(), ports, options }) }
    }

    /// The engine with the variables and search path of one item or project file.
    pub fn batch(&self, vars: Vars, search: SearchPath) -> Batch {
        Batch { engine: self.clone(), vars, search, file: None }
    }
}

fn environment(limits: Limits, ports: &Ports, sources: Arc<Sources>, purpose: Purpose) -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_debug(true); // errors name the undefined expression and its range
    environment.set_fuel(Some(limits.fuel));
    environment.set_recursion_limit(limits.depth);
    environment.set_formatter(|out, state, value| {
        if state.auto_escape() != &AutoEscape::None && !value.is_safe() {
            out.write_str(&filters::escaped(&py_str(value)))?;
            return Ok(());
        }
        match value.as_str() {
            // What a `set` block or macro takes up is no output yet, so it is counted here.
            Some(text) if value.kind() != ValueKind::Bytes => {
                scope::charge(text.len())?;
                out.write_str(text)?;
            }
            _ => {
                let text = py_str(value);
                scope::charge(text.len())?;
                out.write_str(&text)?;
            }
        }
        Ok(())
    });
    // Names of included templates are real paths, so that one compiled template
    // serves every item; which path a name means depends on the running item.
    environment.set_path_join_callback(|name, parent| match scope::find(name, parent) {
        Some(path) => path.display().to_string().into(),
        None => format!("\0{name}").into(),
    });
    environment.set_loader(move |name| {
        if name.starts_with('\0') {
            return Ok(None::<String>);
        }
        if let Some(source) = sources.get(name) {
            return Ok(Some(source.text.clone()));
        }
        match read_template(Path::new(name)) {
            Ok(text) => Ok(Some(sources.insert(name, translate::template(&text, purpose)).text.clone())),
            Err(error) => Err(crate::failure::nested(error)),
        }
    });
    environment.set_unknown_method_callback(methods::call_builtin);
    filters::register(&mut environment);
    functions::register(&mut environment, ports);
    environment
}

/// The engine with the variables of one item; cheap to clone, usable from any thread.
#[derive(Debug, Clone)]
pub struct Batch {
    engine: Engine,
    vars: Vars,
    search: SearchPath,
    /// Where inline texts stand.
    file: Option<Arc<Source>>,
}

impl Batch {
    /// The variables.
    pub fn vars(&self) -> &Vars {
        &self.vars
    }

    /// The search path.
    pub fn search_path(&self) -> &SearchPath {
        &self.search
    }

    /// The same batch for inline texts and conditions that stand in `file`:
    /// errors point there, see [`TemplateError::location`]. Their text stays as it is.
    #[must_use]
    pub fn standing_in(mut self, file: Arc<Source>) -> Self {
        self.file = Some(file);
        self
    }

    /// The place of an inline text: in the file it stands in, when it is there just once.
    pub(crate) fn place_of(&self, text: &str, origin: &Location) -> Location {
        let Some(file) = &self.file else { return origin.clone() };
        let mut places = file.text.match_indices(text.trim()).map(|(start, found)| start..start + found.len());
        match (places.next().filter(|place| !place.is_empty()), places.next()) {
            (Some(place), None) => Location::new(file.clone(), place),
            // Written differently, or several times: only the file is certain.
            _ => Location::new(file.clone(), 0..0),
        }
    }

    /// Renders a file.
    ///
    /// # Errors
    /// The file cannot be read or is not UTF-8, or the template fails.
    pub fn render_file(&self, path: &Path) -> Result<String, TemplateError> {
        let bytes = std::fs::read(path).map_err(|error| crate::failure::unreadable(path, &error))?;
        let text = crate::loading::text_of(path, bytes)?;
        self.render_text_of(path, text)
    }

    /// Renders `text`, the content of the file at `path`. Text without `{` comes back as it is.
    ///
    /// # Errors
    /// The template fails.
    pub fn render_text_of(&self, path: &Path, text: String) -> Result<String, TemplateError> {
        if !text.contains('{') {
            return Ok(text);
        }
        self.run(&path.display().to_string(), &unix_lines(&text), None)
    }

    /// Renders an inline text that stands at `origin`.
    ///
    /// # Errors
    /// The template fails.
    pub fn render_str(&self, text: &str, origin: &Location) -> Result<String, TemplateError> {
        if !text.contains('{') {
            return Ok(text.to_owned());
        }
        self.run(INLINE_NAME, &unix_lines(text), Some(&self.place_of(text, origin)))
    }

    /// [`Self::render_str`] for a text whose place is only known by name.
    ///
    /// # Errors
    /// The template fails.
    pub fn render_named(&self, text: &str, origin: &str) -> Result<String, TemplateError> {
        self.render_str(text, &whole_text(origin, text))
    }

    fn run(&self, name: &str, text: &str, origin: Option<&Location>) -> Result<String, TemplateError> {
        self.guarded(|environment, purpose| {
            let translate = || translate::template(text, purpose);
            let sources = scope::current().sources;
            let kept = if origin.is_none() { sources.keep(name, text, Keep::FromSecondUse, translate) } else { None };
            let translated = kept.clone().unwrap_or_else(|| Arc::new(translate()));
            let rendering =
                &origin.map_or(Rendering::File(name, &translated), |origin| Rendering::Inline(origin, &translated));
            let template = match kept {
                Some(_) => environment.get_template(name),
                None => environment.template_from_named_str(name, &translated.text),
            };
            let template = template.map_err(|error| convert(&error, rendering))?;
            let mut output = LimitedOutput { text: Vec::new(), limit: self.engine.shared.options.limits.output };
            let root = Value::from_object(Root::new(self.vars.frozen().clone()));
            template.render_captured_to(root, &mut output).map_err(|error| convert(&error, rendering))?;
            // Where nothing could be refused, the result is cut short.
            scope::charge(0).map_err(|error| convert(&error, rendering))?;
            String::from_utf8(output.text).map_err(|error| TemplateError::new(ErrorKind::Internal, error.to_string()))
        })
    }

    /// Runs with this batch as the current scope; a panic of the engine becomes an error.
    ///
    /// What an undefined value was looked up in is only found out when it is
    /// needed: by a second run that takes notes.
    pub(crate) fn guarded<R>(
        &self,
        run: impl Fn(&Environment<'_>, Purpose) -> Result<R, TemplateError>,
    ) -> Result<R, TemplateError> {
        let shared = &*self.engine.shared;
        let error = match self.attempt(&shared.rendering, &run) {
            Err(error) if error.kind() == ErrorKind::Undefined => error,
            outcome => return outcome,
        };
        let explaining =
            shared.explaining.get_or_init(|| Machine::new(shared.options.limits, &shared.ports, Purpose::Explain));
        match self.attempt(explaining, &run) {
            Err(explained) if explained.kind() == ErrorKind::Undefined => Err(explained),
            _ => Err(error),
        }
    }

    fn attempt<R>(
        &self,
        machine: &Machine,
        run: impl Fn(&Environment<'_>, Purpose) -> Result<R, TemplateError>,
    ) -> Result<R, TemplateError> {
        let Machine { environment, sources, purpose } = machine;
        let scope = Scope {
            search: self.search.clone(),
            vars: self.vars.frozen().clone(),
            hashing: false,
            sources: sources.clone(),
            purpose: *purpose,
            work: self.engine.shared.options.limits.work,
        };
        let result = catch_unwind(AssertUnwindSafe(|| scope::enter(scope, || run(environment, *purpose))));
        result.unwrap_or_else(|panic| {
            let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
            let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
            Err(TemplateError::new(ErrorKind::Internal, format!("the template engine failed: {text}")))
        })
    }

    pub(crate) fn root(&self) -> Value {
        Value::from_dyn_object(Arc::new(Root::new(self.vars.frozen().clone())) as Arc<Root>)
    }
}

/// A location for a text that has only a name.
pub(crate) fn whole_text(origin: &str, text: &str) -> Location {
    Location::new(Source::new(origin, text), 0..text.len())
}

/// Refuses to grow beyond its limit.
pub(crate) struct LimitedOutput {
    pub(crate) text: Vec<u8>,
    pub(crate) limit: usize,
}

impl io::Write for LimitedOutput {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.text.len() + bytes.len() > self.limit {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "too much output"));
        }
        self.text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

const _: fn() = || {
    fn shared_between_threads<T: Send + Sync>() {}
    fn object<T: Object>() {}
    shared_between_threads::<Batch>();
    object::<Root>();
};
