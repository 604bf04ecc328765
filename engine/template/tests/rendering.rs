//! What a caller sees: text, conditions, structures, errors.

use serde_json::{Value, json};
use windlass_model::location::{Location, Source};
use windlass_template::{Batch, Engine, EngineOptions, ErrorKind, Limits, Ports, SearchPath, Vars};

fn batch(vars: Value) -> Batch {
    let vars = Vars::new(vars.as_object().unwrap().clone());
    Engine::new(EngineOptions::default(), Ports::default()).batch(vars, SearchPath::empty())
}

fn render(vars: Value, text: &str) -> String {
    batch(vars).render_named(text, "test").unwrap_or_else(|error| error.to_string())
}

#[test]
fn text_without_a_brace_is_returned_byte_for_byte() {
    assert_eq!(render(json!({}), "a\r\n\n"), "a\r\n\n");
    assert_eq!(render(json!({}), "{{ 1 }}a\r\nb\r\n\n"), "1a\nb\n");
}

#[test]
fn undefined_names_and_attributes_are_named() {
    let vars = json!({"a": {"b": {"c": 1}}, "l": [1], "n": null, "s": "x"});
    let message = |text: &str| render(vars.clone(), text).lines().last().unwrap().to_owned();
    assert_eq!(message("{{ foo }}"), "UndefinedError: 'foo' is undefined");
    assert_eq!(message("{{ foo.x }}"), "UndefinedError: 'foo' is undefined");
    assert_eq!(message("{{ a.x }}"), "UndefinedError: 'dict object' has no attribute 'x'");
    assert_eq!(message("{{ a.x.y }}"), "UndefinedError: 'dict object' has no attribute 'x'");
    assert_eq!(message("{{ a['x'] }}"), "UndefinedError: 'dict object' has no attribute 'x'");
    assert_eq!(message("{{ l.x }}"), "UndefinedError: 'list object' has no attribute 'x'");
    assert_eq!(message("{{ l[99] }}"), "UndefinedError: list object has no element 99");
    assert_eq!(
        message("{% for i in l %}{{ i }}{{ a[s] }}{% endfor %}"),
        "UndefinedError: 'dict object' has no attribute 'x'"
    );
    assert_eq!(message("{{ foo() }}"), "UndefinedError: 'foo' is undefined");
    assert_eq!(message("{% if foo %}{% endif %}"), "UndefinedError: 'foo' is undefined");
    assert_eq!(message("{{ n.x }}"), "UndefinedError: 'None' has no attribute 'x'");
}

#[test]
fn tokens_in_the_wrong_place_are_told_in_words_of_jinja() {
    let message = |text: &str| render(json!({}), text).lines().last().unwrap().to_owned();
    let at_end = "TemplateSyntaxError: unexpected end of template, expected 'end of print statement'.";
    assert_eq!(message("{{ unclosed"), at_end);
    assert_eq!(message("{{ a b }}"), "TemplateSyntaxError: expected token 'end of print statement', got 'b'");
    assert_eq!(
        message("{% if a b %}{% endif %}"),
        "TemplateSyntaxError: expected token 'end of statement block', got 'b'"
    );
}

#[test]
fn conditions_are_expressions() {
    let batch = batch(json!({"num": 3, "yep": true, "str": "False", "empty": "", "zero": 0.0}));
    let check = |text: &str| batch.evaluate_named_condition(text, "when").map_err(|error| error.to_string());
    for (text, expected) in [
        ("", true),
        ("True", true),
        ("true", true),
        ("num > 2 and yep", true),
        ("str", true),
        ("empty", false),
        ("selfv is defined", false),
        ("False", false),
        ("not num", false),
    ] {
        assert_eq!(check(text), Ok(expected), "{text}");
    }
    assert_eq!(
        check("nope").unwrap_err(),
        "  File \"<template>\", line 1, in top-level template code\nUndefinedError: 'nope' is undefined"
    );
    assert!(check("true %}{% if false").unwrap_err().contains("TemplateSyntaxError"));
    assert!(check("a b").unwrap_err().starts_with("  File \"<unknown>\", line 1, in template\nTemplateSyntaxError: "));
}

#[test]
fn structures_render_keys_and_values_and_collect_errors() {
    let batch = batch(json!({"x": 1}));
    let origin = Location::new(Source::new("deployment.yaml", ""), 0..0);
    let rendered = batch.render_struct(&json!({"{{ x }}": ["{{ x }}", 2, null, "p"]}), &origin).unwrap();
    assert_eq!(rendered, json!({"1": ["1", 2, null, "p"]}));
    let errors = batch.render_struct(&json!(["{{ a }}", {"{{ b }}": "{% c %}"}]), &origin).unwrap_err();
    assert_eq!(errors.len(), 3);
}

#[test]
fn an_inline_error_points_into_the_users_file() {
    let text = "vars:\n- values:\n    a: x {{ nope }}\n";
    let source = Source::new("deployment.yaml", text);
    let start = text.find("x {{").unwrap();
    let origin = Location::new(source, start..text.len() - 1);
    let error = batch(json!({})).render_str("x {{ nope }}", &origin).unwrap_err();
    assert_eq!(error.location().unwrap().to_string(), "deployment.yaml:3:13");
}

#[test]
fn limits_end_a_template() {
    let limits = Limits { fuel: 10_000, depth: 50, output: 1000, ..Limits::default() };
    let batch = Engine::new(EngineOptions { limits }, Ports::default()).batch(Vars::empty(), SearchPath::empty());
    for text in [
        "{% for i in range(100000) %}{{ i }}{% endfor %}",
        "{% for i in range(900) %}xxx{% endfor %}",
        "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    ] {
        assert_eq!(batch.render_named(text, "test").unwrap_err().kind(), ErrorKind::Limit, "{text}");
    }
}

#[test]
fn each_template_starts_from_the_same_variables() {
    let batch = batch(json!({"l": [1], "d": {"k": {"x": 1}}}));
    let text = "{% set _ = l.append(2) %}{% set e = d.k %}{% set _ = e.update({'y': 2}) %}{{ l }} {{ d }}";
    for _ in 0..2 {
        assert_eq!(batch.render_named(text, "test").unwrap(), "[1, 2] {'k': {'x': 1, 'y': 2}}");
    }
}

#[test]
fn hostile_templates_end_in_an_answer() {
    let nested = format!("{{{{ {}1{} }}}}", "(".repeat(3000), ")".repeat(3000));
    let sum = format!("{{{{ {}1 }}}}", "1 + ".repeat(2000));
    let list = "{% set ns = namespace(x=[]) %}{% for i in range(200000) %}{% set ns.x = [ns.x] %}{% endfor %}ok";
    let cyclic = "{% set a = [] %}{% set b = [] %}{% set _ = a.append(a) %}{% set _ = a.append(a) %}{% set _ = b.append(b) %}{% set _ = b.append(b) %}";
    assert!(batch(json!({})).render_named(&nested, "test").is_err());
    assert_eq!(render(json!({}), &sum), "2001");
    assert_eq!(render(json!({}), list), "ok");
    assert_eq!(render(json!({}), &format!("{cyclic}{{{{ a }}}}")), "[[...], [...]]");
    for use_of in ["a == b", "a < b", "a | to_json", "a | to_yaml", "merge_dict({'a': a}, {})", "a in [b]", "a | sort"]
    {
        assert!(batch(json!({})).render_named(&format!("{cyclic}{{{{ {use_of} }}}}"), "test").is_err(), "{use_of}");
    }
    for text in [
        "{{ 'x' * 10**12 }}",
        "{{ range(10**12) | list }}",
        "{{ 'x'.center(10**10) }}",
        "{{ '%999999999d' % 1 }}",
        "{{ loop.cycle() }}",
        "{% for i in range(10**6) %}{% set x = 'x' * 10**7 %}{% endfor %}",
    ] {
        assert!(batch(json!({})).render_named(text, "test").is_err(), "{text}");
    }
}

#[test]
fn long_literals_are_containers_too() {
    let list = format!("{{% set l = [{}] %}}{{% set _ = l.append(1) %}}{{{{ l | length }}}}", "0, ".repeat(3000));
    let entries: String = (0..1500).map(|index| format!("'k{index}': {index},\n")).collect();
    let dict = format!("{{% set d = {{{entries}}} %}}{{% set _ = d.update(x=1) %}}{{{{ d | length }}}} {{{{ d.k7 }}}}");
    assert_eq!(render(json!({}), &list), "3001");
    assert_eq!(render(json!({}), &dict), "1501 7");
}

#[test]
fn project_variables_hide_jinja_but_not_kluctl() {
    let vars = json!({"range": "r", "dict": "d", "images": [], "version": "v", "time": "t", "raise": 1});
    assert_eq!(
        render(vars, "{{ range }}{{ dict }}{{ images is mapping }}{{ version is string }}{{ time is string }}"),
        "rdTrueFalseFalse"
    );
}

#[test]
fn ranges_are_as_long_as_they_say_and_cost_nothing() {
    assert_eq!(render(json!({}), "{{ range(10**9)[5] }} {{ range(10**12)[-1] }}"), "5 999999999999");
    assert_eq!(
        render(json!({}), "{{ range(10**12) | length }} {{ range(0, 10**12, 7)[1:3] }}"),
        "1000000000000 range(7, 21, 7)"
    );
    assert_eq!(render(json!({}), "{{ 10**8 in range(10**12) }} {{ 10**8 + 1 in range(0, 10**12, 2) }}"), "True False");
    assert_eq!(
        render(json!({}), "{{ 3 in range(9, 0, -2) }} {{ 1 in range(9, 1, -2) }} {{ 'x' in range(3) }}"),
        "True False False"
    );
    for text in ["{{ range(10**12) | list }}", "{{ range(10**12) | sum }}", "{% for i in range(10**12) %}{% endfor %}"]
    {
        let error = batch(json!({})).render_named(text, "test").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Limit, "{text}");
    }
}

#[test]
fn endless_recursion_is_told_in_few_steps() {
    let error = batch(json!({})).render_named("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "test").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit);
    assert!(error.frames().len() <= 50);
}

#[test]
fn renders_do_not_nest_without_end() {
    let text = "{% set t = '{{ render(t) }}' %}{{ render(t) }}";
    let error = batch(json!({})).render_named(text, "test").unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::Limit, "maximum recursion depth exceeded"));
}

#[test]
fn a_panic_of_the_engine_is_an_error() {
    let error = batch(json!({})).render_named("{% for i in [1] %}{{ loop.cycle() }}{% endfor %}", "test").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Internal);
}

#[test]
fn a_macro_of_the_template_around_a_rendered_text_is_an_error_with_advice() {
    let text = "{% macro m(x) %}<{{ x }}>{% endmacro %}{{ render('{{ m(1) }}') }}";
    let error = batch(json!({})).render_named(text, "test").unwrap_err();
    assert!(error.message().ends_with("import `m` in the text or file that is rendered"), "{error}");
}
