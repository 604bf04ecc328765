//! `images.get_image` and `version.*`, through the caller's port.

use std::fmt;
use std::sync::Arc;

use minijinja::value::{Enumerator, Object, ObjectRepr, Value};
use minijinja::{Environment, Error, ErrorKind, State};
use serde_json::{Map, Value as Json};

use crate::binder::split_named;
use crate::failure::{raised, type_error};
use crate::ports::{ImageFunctions, Ports};
use crate::value::to_json;

pub(super) fn register(environment: &mut Environment<'static>, ports: &Ports) {
    let object = |part| Value::from_object(ImageObject { part, port: ports.images.clone() });
    environment.add_global("images", object(Part::Images));
    environment.add_global("version", object(Part::Version));
}

#[derive(Clone, Copy)]
enum Part {
    Images,
    Version,
}

impl Part {
    fn members(self) -> &'static [&'static str] {
        match self {
            Self::Images => &["get_image"],
            Self::Version => &[
                "alphabetical",
                "calver",
                "digest",
                "natural",
                "newest_build",
                "policy",
                "number",
                "numerical",
                "prefix",
                "regex",
                "semver",
                "timestamp",
            ],
        }
    }
}

struct ImageObject {
    part: Part,
    port: Option<Arc<dyn ImageFunctions>>,
}

impl fmt::Debug for ImageObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.part.members()).finish()
    }
}

impl ImageObject {
    fn invoke(&self, member: &str, args: &[Value]) -> Result<Value, Error> {
        let Some(port) = &self.port else {
            return Err(raised(crate::error::ErrorKind::Runtime, format!("`{member}` is not available here")));
        };
        let (positional, named) = data(args)?;
        let result = match self.part {
            Part::Images => port.get_image(&positional, &named),
            Part::Version => port.version(member, &positional, &named),
        };
        result.map(Value::from).map_err(type_error)
    }
}

fn data(args: &[Value]) -> Result<(Vec<Json>, Map<String, Json>), Error> {
    let (positional, named) = split_named(args);
    let positional = positional.iter().map(to_json).collect::<Result<_, _>>()?;
    let named = named.into_iter().map(|(name, value)| Ok((name, to_json(&value)?))).collect::<Result<_, Error>>()?;
    Ok((positional, named))
}

impl Object for ImageObject {
    // A mapping, as upstream: `images is mapping` is true.
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Map
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let member = *self.part.members().iter().find(|member| key.as_str() == Some(member))?;
        let object = self.clone();
        Some(Value::from_function(super::callable(move |_, args| object.invoke(member, args))))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Str(self.part.members())
    }

    fn call_method(self: &Arc<Self>, _: &mut State<'_, '_>, method: &str, args: &[Value]) -> Result<Value, Error> {
        match self.part.members().contains(&method) {
            true => self.invoke(method, args),
            false => Err(ErrorKind::UnknownMethod.into()),
        }
    }
}
