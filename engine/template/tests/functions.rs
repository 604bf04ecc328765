//! kluctl's own functions, other templates, and errors inside them.

use std::path::Path;
use std::sync::{Arc, Mutex};

use serde_json::{Map, Value, json};
use windlass_template::{
    Batch, DebugSink, Engine, EngineOptions, ErrorKind, GitHistory, ImageFunctions, Ports, SearchPath, Vars,
};

struct Images;

impl ImageFunctions for Images {
    fn get_image(&self, positional: &[Value], named: &Map<String, Value>) -> Result<String, String> {
        match positional.first().and_then(Value::as_str) {
            Some(image) => Ok(format!("<{image}|{}>", named.get("latest_version").unwrap_or(&Value::Null))),
            None => Err("image must be a string".to_owned()),
        }
    }

    fn version(&self, name: &str, positional: &[Value], _: &Map<String, Value>) -> Result<String, String> {
        Ok(format!("{name}({})", Value::from(positional)))
    }
}

struct Git;

impl GitHistory for Git {
    fn latest_commit(&self, file: &Path) -> Result<String, String> {
        match file.file_name().and_then(|name| name.to_str()) {
            Some("a.j2") => Ok("0123456789abcdef".to_owned()),
            _ => Err(format!("No commits found for path: {}", file.display())),
        }
    }
}

#[derive(Default)]
struct Debug(Mutex<Vec<String>>);

impl DebugSink for Debug {
    fn message(&self, text: &str) {
        self.0.lock().unwrap().push(text.to_owned());
    }
}

struct World {
    dir: tempfile::TempDir,
    debug: Arc<Debug>,
    engine: Engine,
}

impl World {
    fn new(files: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(dir.path().join(name), text).unwrap();
        }
        let debug = Arc::new(Debug::default());
        let ports = Ports { images: Some(Arc::new(Images)), git: Some(Arc::new(Git)), debug: Some(debug.clone()) };
        Self { dir, debug, engine: Engine::new(EngineOptions::default(), ports) }
    }

    fn batch(&self) -> Batch {
        let vars = json!({"a": {"b": {"c": 1, "d-e": 2, "x/y": 3}, "l": [1, 2], "n": null}, "my-var": 5, "s": "x", "images": [1]});
        self.engine.batch(Vars::new(vars.as_object().unwrap().clone()), SearchPath::new([self.dir.path().to_owned()]))
    }

    fn render(&self, text: &str) -> String {
        let result = self.batch().render_named(text, "test");
        result.unwrap_or_else(|error| error.to_string()).replace(&self.dir.path().display().to_string(), "DIR")
    }

    /// The last line: kind and message of an error.
    fn fails(&self, text: &str) -> String {
        let error = self.batch().render_named(text, "test").expect_err(text);
        format!("{}: {}", error.kind().name(), error.message())
    }
}

#[test]
fn get_var_finds_paths() {
    let world = World::new(&[]);
    for (template, expected) in [
        ("{{ get_var('a.b.c') }}", "1"),
        ("{{ get_var('a.nope', 'x') }} {{ get_var('a.nope') }}", "x None"),
        ("{{ get_var(['a.nope', 'a.b.c']) }}", "1"),
        ("{{ get_var([['a', 'b', 'x/y']]) }}", "3"),
        ("{{ get_var('a.n', 'x') }}", "None"),
        ("{{ get_var('my-var') }} {{ get_var('a.b.d-e') }} {{ get_var(\"a.b['x/y']\") }}", "5 2 3"),
        (
            "{{ get_var('a.l[0]') }} {{ get_var('a.l[-1]') }} {{ get_var('a.l[9]', 'no') }} {{ get_var('s[0]') }}",
            "1 2 no x",
        ),
        ("{% for e in [7] %}{{ get_var('e') }}{% endfor %}", "7"),
        ("{% macro m(p) %}{{ get_var('p') }}{% endmacro %}{{ m(3) }}", "3"),
    ] {
        assert_eq!(world.render(template), expected, "{template}");
    }
    assert_eq!(world.fails("{{ get_var('a.l[*]') }}"), "ValueError: Only simple jsonpath supported in get_dict_value");
    assert!(world.fails("{{ get_var('a.0') }}").starts_with("ValueError: Invalid json path 'a.0'. Error="));
    assert_eq!(world.fails("{{ get_var() }}"), "TypeError: get_var() missing 1 required positional argument: 'path'");
}

#[test]
fn loaded_templates_see_the_context_and_change_nothing() {
    let world = World::new(&[
        ("a.j2", "{{ s }}-{{ i }}{% set s = 'z' %}{% set _ = a.l.append(9) %}\n"),
        ("extra.j2", "{{ a.b.c }}{{ a.b.new }}"),
        ("hash.j2", "{{ load_sha256('a.j2') }}"),
        ("bin", "\u{1}\u{2}abcdef"),
    ]);
    assert_eq!(
        world.render("{% for i in [1] %}{{ load_template('a.j2') }}{% endfor %} {{ s }} {{ a.l }}"),
        "x-1 x [1, 2]"
    );
    assert_eq!(world.render("{{ load_template('extra.j2', a={'b': {'new': 7}}) }}"), "17");
    assert_eq!(world.render("{{ render('{{ s }}{{ 1 + 1 }}\\n') }}{{ '{{ s }}' | render }}"), "x2x");
    let hash = world.render("{% set i = 0 %}{{ load_sha256('a.j2', 6) }}");
    assert_eq!(hash, world.render("{{ ('x-0') | sha256(6) }}"));
    assert_eq!(world.render("{{ load_sha256('hash.j2') }}"), world.render("{{ '__self_sha256__' | sha256 }}"));
    assert_eq!(world.render("{{ load_base64('bin') }} {{ load_base64('bin', 4) }}"), "AQJhYmNkZWY= AQJh\nYmNk\nZWY=");
    assert_eq!(
        world.render("{{ load_latest_git_commit('a.j2') }} {{ load_latest_git_sha('a.j2', 4) }}"),
        "0123456789abcdef 0123"
    );
    assert_eq!(world.fails("{{ load_template('nope.j2') }}"), "TemplateNotFound: template nope.j2 not found");
    assert_eq!(world.fails("{{ load_base64('bin', -1) }}"), "ValueError: invalid width -1 (must be > 0)");
    assert!(world.fails("{{ load_latest_git_commit('bin') }}").contains("No commits found for path: "));
    assert_eq!(world.fails("{{ load_template('a.j2') }}"), "UndefinedError: 'i' is undefined");
}

#[test]
fn images_and_versions_go_through_the_port() {
    let world = World::new(&[]);
    assert_eq!(world.render("{{ images.get_image('nginx') }}"), "<nginx|null>");
    assert_eq!(
        world.render("{{ images.get_image('a', latest_version=version.prefix('x')) }}"),
        "<a|\"prefix([\\\"x\\\"])\">"
    );
    assert_eq!(world.render("{{ version.calver('YYYY.0M') }}"), "calver([\"YYYY.0M\"])");
    assert_eq!(
        world.render("{% for name in version %}{{ name }} {% endfor %}"),
        "alphabetical calver digest natural newest_build policy number numerical prefix regex semver timestamp "
    );
    assert_eq!(world.fails("{{ version.nope() }}"), "UndefinedError: 'dict object' has no attribute 'nope'");
    assert_eq!(world.render("{{ images is mapping }}"), "True");
    assert_eq!(world.fails("{{ images.get_image(1) }}"), "TypeError: image must be a string");
    assert_eq!(
        world.fails("{{ images.get_version('a') }}"),
        "UndefinedError: 'dict object' has no attribute 'get_version'"
    );
    let bare = Engine::new(EngineOptions::default(), Ports::default()).batch(Vars::empty(), SearchPath::empty());
    assert_eq!(bare.render_named("{{ images.get_image('a') }}", "t").unwrap_err().kind(), ErrorKind::Runtime);
}

#[test]
fn debug_print_goes_to_the_sink_and_raise_ends() {
    let world = World::new(&[]);
    assert_eq!(world.render("{{ debug_print(a.l) }}x"), "x");
    assert_eq!(*world.debug.0.lock().unwrap(), ["[1, 2]"]);
    assert_eq!(world.fails("{{ raise('no ' ~ s) }}"), "TemplateError: no x");
    assert_eq!(world.fails("{{ raise() }}"), "TypeError: raise() missing 1 required positional argument: 'msg'");
}

#[test]
fn time_is_computed_without_side_effects() {
    let world = World::new(&[]);
    let t = "{% set t = time.parse_iso('2024-02-29T23:30:00+01:00') %}";
    assert_eq!(
        world.render(&format!("{t}{{{{ t + time.hour }}}} {{{{ t }}}}")),
        "2024-03-01T00:30:00+01:00 2024-02-29T23:30:00+01:00"
    );
    assert_eq!(
        world.render(&format!("{t}{{{{ t.as_timezone('UTC') }}}} {{{{ t.weekday() }}}} {{{{ t.t.year }}}}")),
        "2024-02-29T22:30:00+00:00 3 2024"
    );
    assert_eq!(
        world.render("{{ time.parse_iso('2024-01-01') - time.second }} {{ time.parse_iso('2024-01-01 10:00:00.5') }}"),
        "2023-12-31T23:59:59 2024-01-01T10:00:00.500000"
    );
    assert_eq!(world.render("{{ time.parse_iso('2024-01-01') < time.parse_iso('2024-01-02') }} {{ time.now() > time.parse_iso('2020-01-01') }}"), "True True");
    for template in [
        "{{ time.parse_iso('x') }}",
        "{{ time.parse_iso('2024-01-01').as_timezone('No/Where') }}",
        "{{ time.parse_iso('2024-01-01') < time.parse_iso('2024-01-01T00:00:00Z') }}",
        "{{ time.parse_iso('2024-01-01') < 5 }}",
        "{{ 5 + time.utcnow() }}",
        "{{ time.now() | to_json }}",
        "{{ time.now() | to_yaml }}",
    ] {
        world.fails(template);
    }
}

#[test]
fn errors_name_the_innermost_template_and_the_way_to_it() {
    let world = World::new(&[
        ("bad.j2", "one\n  two {{ missing }}\n"),
        ("outer.j2", "{% include 'bad.j2' %}"),
        ("macros.j2", "{% macro m(x) %}\n{{ x.y }}{% endmacro %}"),
        ("syntax.j2", "a\n{% if %}\n"),
        ("block.j2", "{% block b %}{{ 1 / 0 }}{% endblock %}"),
    ]);
    assert_eq!(
        world.render("{% include 'outer.j2' %}"),
        "  File \"DIR/bad.j2\", line 2, in top-level template code\n    two {{ missing }}\nUndefinedError: 'missing' is undefined"
    );
    let error = world.batch().render_named("x\n{% include 'outer.j2' %}", "deployment.yaml").unwrap_err();
    let names: Vec<String> = error
        .frames()
        .iter()
        .map(|frame| frame.at.to_string().replace(&world.dir.path().display().to_string(), "DIR"))
        .collect();
    assert_eq!(names[0], "DIR/bad.j2:2:10");
    assert_eq!(names.len(), 3);
    assert!(names[2].starts_with("deployment.yaml:2:"), "{names:?}");
    assert_eq!(
        world.render("{% from 'macros.j2' import m %}{{ m({}) }}"),
        "  File \"DIR/macros.j2\", line 2, in template\n    {{ x.y }}{% endmacro %}\nUndefinedError: 'dict object' has no attribute 'y'"
    );
    assert_eq!(
        world.render("{% include 'syntax.j2' %}"),
        "  File \"DIR/syntax.j2\", line 2, in template\n    {% if %}\nTemplateSyntaxError: Expected an expression, got 'end of statement block'"
    );
    assert_eq!(
        world.render("{% include 'block.j2' %}"),
        "  File \"DIR/block.j2\", line 1, in block 'b'\n    {% block b %}{{ 1 / 0 }}{% endblock %}\n    ^^^^^^^^^^^^^^^^^^^^^^^^^\nZeroDivisionError: division by zero"
    );
    assert_eq!(
        world.render("{{ render('{{ missing }}') }}"),
        "  File \"<template>\", line 1, in top-level template code\nUndefinedError: 'missing' is undefined"
    );
    assert_eq!(
        world.batch().evaluate_named_condition("a b", "when").unwrap_err().message(),
        "expected token 'end of statement block', got 'b'"
    );
}

#[test]
fn an_included_template_is_compiled_once_for_all_items() {
    let world = World::new(&[("inc.j2", "{{ s }}")]);
    let batch = world.batch();
    assert_eq!(batch.render_named("{% include 'inc.j2' %}", "t").unwrap(), "x");
    // The file may change on disk during a run; the run goes on with what it read.
    std::fs::write(world.dir.path().join("inc.j2"), "changed").unwrap();
    let other =
        world.engine.batch(Vars::new(json!({"s": "y"}).as_object().unwrap().clone()), batch.search_path().clone());
    assert_eq!(other.render_named("{% include 'inc.j2' %}", "t").unwrap(), "y");
}

#[test]
fn templates_render_on_many_threads() {
    let world = World::new(&[("inc.j2", "{{ s }}{% set _ = a.l.append(3) %}{{ a.l }}")]);
    let batch = world.batch();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..50 {
                    assert_eq!(batch.render_named("{% include './inc.j2' %}", "t").unwrap(), "x[1, 2, 3]");
                }
            });
        }
    });
}
