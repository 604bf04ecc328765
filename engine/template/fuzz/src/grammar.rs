//! Mutations that know the language: tokens, statements, parts of other templates.

use std::sync::LazyLock;

use libfuzzer_sys::fuzzer_mutate;

use crate::input::Input;
use crate::variables;

const ATOMS: &[&str] = &[
    "1", "-7", "0", "2.5", "1e308", "9223372036854775807", "170141183460469231731687303715884105727", "10**18", "true", "none", "''", "'ab'", "'é😀'",
    "'{{ s }}'", "'%s'", "'{:>9}'", "[]", "[1, 'a', none]", "()", "(1, 2)", "{}", "{'a': 1, 2: [3]}", "range(5)", "range(10 ** 12)", "missing",
    "loop.index", "loop", "caller()", "varargs", "kwargs", "self", "super()", "namespace(a=1)", "time.now()", "'inf' | float", "'nan' | float",
    "cycler(1, 2)", "joiner()", "dict(a=1)", "d.items()", "d.keys()", "get_var('d.a')", "render(s)", "load_template('gen1.j2')", "load_sha256('gen2.j2')",
    "load_base64('inc.j2')", "merge_dict(d, {'a': 1})", "update_dict(d, d)", "images.get_image('a/b')", "version.semver()", "time.parse_iso('2024-02-29')",
    "lipsum(n=1)", "'a' * 100000", "[0] * 100000", "x", "y",
];
const BINARY: &[&str] = &[
    "+", "-", "*", "/", "//", "%", "**", "~", "==", "!=", "<", "<=", ">", ">=", "in", "not in", "and", "or", "is", "is not", "if", "|", ".", ",",
];
const FILTERS: &[&str] = &[
    "abs", "attr('a')", "batch(3, none)", "capitalize", "center(99)", "default(1)", "dictsort", "escape", "filesizeformat", "first", "float", "forceescape",
    "format(1, 2)", "groupby('age')", "indent(4, true)", "int(0, 16)", "items", "join(',')", "last", "length", "list", "lower", "map('upper')",
    "map(attribute='a.b')", "max", "min", "pprint", "random", "reject", "rejectattr('a')", "replace('a', 'bb')", "reverse", "round(400)", "round(-400, 'floor')",
    "safe", "select('odd')", "selectattr('a', 'eq', 1)", "slice(3)", "sort(attribute='age,name')", "string", "striptags", "sum", "title", "tojson(indent=2)",
    "trim", "truncate(3, true, '')", "unique", "upper", "urlencode", "urlize(5)", "wordcount", "wordwrap(1)", "xmlattr", "to_yaml", "to_json", "from_yaml",
    "b64encode", "b64decode", "sha256(-1)", "slugify", "render",
];
const TESTS: &[&str] = &[
    "defined", "undefined", "none", "number", "string", "mapping", "iterable", "sequence", "callable", "odd", "even", "divisibleby(0)", "sameas(1)",
    "in([1])", "eq(1)", "lt('a')", "upper", "filter", "test",
];
const METHODS: &[&str] = &[
    "append(1)", "extend(l)", "insert(-99, l)", "pop()", "pop(9)", "remove(1)", "sort()", "reverse()", "clear()", "copy()", "index(1)", "count(1)", "get('a')",
    "update({'a': d})", "setdefault('q', [])", "popitem()", "items()", "keys()", "values()", "append(l)", "upper()", "split()", "split('a', 0)", "rsplit(none, 2)",
    "splitlines(true)", "format(1, a=2)", "format_map(d)", "center(999999999)", "zfill(99)", "ljust(10 ** 9)", "expandtabs(10 ** 9)", "join(l)", "replace('', 'x')",
    "encode()", "title()", "find('a', -99, 99)", "rfind('')", "partition('a')", "startswith(('a', 'b'), 1)", "swapcase()", "bit_length()", "as_timezone('UTC')",
    "next()", "strftime('%Y %q %')", "isoformat()", "casefold()", "removeprefix('a')", "a", "b.c", "0", "nosuch",
];
const OPENERS: &[(&str, &str)] = &[
    ("{% for x in # %}", "{% endfor %}"), ("{% for x, y in # recursive %}", "{{ loop(y) }}{% endfor %}"), ("{% for x in # if # %}", "{% else %}{% endfor %}"),
    ("{% if # %}", "{% elif # %}{% else %}{% endif %}"), ("{% macro m(x, y=#) %}", "{% endmacro %}{{ m(#) }}"), ("{% macro r(x) %}", "{{ r(x) }}{% endmacro %}{{ r(#) }}"),
    ("{% call(x) m(#) %}", "{% endcall %}"), ("{% filter @ %}", "{% endfilter %}"), ("{% set x %}", "{% endset %}"), ("{% set x | @ %}", "{% endset %}"),
    ("{% with x = #, y = # %}", "{% endwith %}"), ("{% block one %}", "{{ super() }}{% endblock %}"), ("{% raw %}", "{% endraw %}"), ("{#", "#}"),
    ("{% autoescape # %}", "{% endautoescape %}"), ("{%- ", " -%}"), ("{{- ", " -}}"), ("{% for i in range(10 ** 6) %}", "{% endfor %}"), ("(", ")"), ("[", "]"),
    ("{", "}"), ("'", "'"), ("{{ render('", "') }}"),
];
const STATEMENTS: &[&str] = &[
    "{{ # }}", "{{ # }}", "{{ # }}", "{% set x = # %}", "{% set x, y = # %}", "{% set ns = namespace(a=#) %}{% set ns.a = [ns.a, #] %}", "{% do # %}", "{% include # %}",
    "{% include 'gen1.j2' %}", "{% include 'gen2.j2' ignore missing %}", "{% import 'macros.j2' as y %}", "{% from 'gen1.j2' import m with context %}", "{% extends 'base.j2' %}",
    "{% extends 'gen2.j2' %}", "{% break %}", "{% continue %}", "{% set x = [x] %}", "{% set x = x ~ x %}", "{% set _ = l.append(l) %}", "{% set _ = d.update({'a': d}) %}",
    "{% set _ = # %}", "{{ l | to_yaml }}", "{{ d | to_json }}", "{{ l }}", "{{ l == d.a }}", "\n", "text: {x}\n",
];

static DONORS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let built: Vec<Vec<serde_json::Value>> =
        serde_json::from_str(include_str!("../../tests/oracle/systematic.json")).expect("the table is JSON");
    let built = built.iter().filter_map(|row| row.first()?.as_str().map(str::to_owned));
    variables::templates().chain(built).collect()
});
static NAMES: LazyLock<Vec<String>> = LazyLock::new(variables::names);

/// A small generator of numbers, seeded by libFuzzer so that runs repeat.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % limit.max(1)
    }

    fn of<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len())]
    }
}

/// A changed copy of `data`.
pub fn mutate(data: &[u8], max_size: usize, seed: u32) -> Vec<u8> {
    let dice = &mut Dice(u64::from(seed) ^ 0x9e37_79b9_7f4a_7c15);
    let mut input = Input::parse(data);
    if input.parts.is_empty() {
        input.parts.push(String::new());
    }
    for _ in 0..=dice.below(3) {
        step(&mut input, max_size, dice);
    }
    input.bytes()
}

fn step(input: &mut Input, max_size: usize, dice: &mut Dice) {
    let part = if dice.below(3) == 0 { dice.below(input.parts.len()) } else { 0 };
    match dice.below(16) {
        0 => input.options = dice.below(256) as u8,
        1 | 2 if input.variables.len() < 60 => input.variables.extend((0..3).map(|_| dice.below(255) as u8)),
        1 | 2 => input.variables.clear(),
        3 | 4 => {
            let mut bytes = input.parts[part].clone().into_bytes();
            let size = bytes.len();
            bytes.resize((size + 64).min(max_size.max(size)), 0);
            let size = fuzzer_mutate(&mut bytes, size, (size + 64).min(max_size.max(size)));
            bytes.truncate(size);
            input.parts[part] = String::from_utf8_lossy(&bytes).into_owned();
        }
        5 if input.parts.len() < 4 => input.parts.push(statement(dice, 2)),
        6 => input.parts[part] = DONORS[dice.below(DONORS.len())].clone(),
        _ => change_text(&mut input.parts[part], dice),
    }
}

fn change_text(text: &mut String, dice: &mut Dice) {
    let at = token_edge(text, dice);
    let other = token_edge(text, dice);
    let (start, end) = (at.min(other), at.max(other));
    match dice.below(9) {
        0 => text.insert_str(at, &DONORS[dice.below(DONORS.len())]),
        1 | 2 => text.insert_str(at, &statement(dice, 3)),
        3 => text.insert_str(at, &expression(dice, 3)),
        4 => text.replace_range(start..end, ""),
        5 => {
            let piece = text[start..end].to_owned();
            text.insert_str(at, &piece.repeat(1 + dice.below(4)));
        }
        6 => {
            let (open, close) = OPENERS[dice.below(OPENERS.len())];
            text.insert_str(end, &fill(close, dice, 2));
            text.insert_str(start, &fill(open, dice, 2));
        }
        7 => text.replace_range(start..end, &expression(dice, 2)),
        _ => text.insert_str(at, &format!(" {} ", dice.of(BINARY))),
    }
}

/// A place between two tokens, roughly.
fn token_edge(text: &str, dice: &mut Dice) -> usize {
    let wanted = dice.below(text.len() + 1);
    let is_edge = |at: usize| {
        let before = text[..at].chars().next_back();
        let after = text[at..].chars().next();
        !(before.is_some_and(char::is_alphanumeric) && after.is_some_and(char::is_alphanumeric))
    };
    (wanted..=text.len()).find(|at| text.is_char_boundary(*at) && is_edge(*at)).unwrap_or(text.len())
}

fn statement(dice: &mut Dice, depth: usize) -> String {
    if depth == 0 || dice.below(3) == 0 {
        let pattern = dice.of(STATEMENTS);
        return fill(pattern, dice, depth);
    }
    let (open, close) = OPENERS[dice.below(OPENERS.len() - 6)];
    let inner: String = (0..=dice.below(3)).map(|_| statement(dice, depth - 1)).collect();
    format!("{}{inner}{}", fill(open, dice, depth), fill(close, dice, depth))
}

fn fill(pattern: &str, dice: &mut Dice, depth: usize) -> String {
    let mut text = String::new();
    for c in pattern.chars() {
        match c {
            '#' => text.push_str(&expression(dice, depth)),
            '@' => text.push_str(dice.of(FILTERS)),
            c => text.push(c),
        }
    }
    if pattern.starts_with("{#") || pattern == "#}" { pattern.to_owned() } else { text }
}

fn expression(dice: &mut Dice, depth: usize) -> String {
    if depth == 0 {
        return if dice.below(2) == 0 { dice.of(ATOMS).to_owned() } else { NAMES[dice.below(NAMES.len())].clone() };
    }
    let inner = expression(dice, depth - 1);
    match dice.below(10) {
        0 | 1 => format!("{inner} {} {}", dice.of(BINARY), expression(dice, depth - 1)),
        2 | 3 => format!("{inner} | {}", dice.of(FILTERS)),
        4 => format!("{inner} is {}", dice.of(TESTS)),
        5 | 6 => format!("({inner}).{}", dice.of(METHODS)),
        7 => format!("({inner})[{}:{}:{}]", expression(dice, 0), expression(dice, 0), expression(dice, 0)),
        8 => format!("({inner})[{}]", expression(dice, 0)),
        _ => format!("[{inner}, {{'a': {inner}}}]"),
    }
}
