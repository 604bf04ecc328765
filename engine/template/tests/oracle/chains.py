#!/usr/bin/env python3
"""Writes chains.json: the way to an error, through includes, imports, macros, calls, blocks, loops, `render` and `load_template`.

Each row is a template `main.j2` with the line that fails in one of FAILURES, reached in one of WAYS. The answer is what Python's
traceback says of templates: file, line and part, innermost first, and the kind of error. Needs what generate.py needs.
"""
import json
import pathlib
import re
import traceback

import jinja2

import kluctl

VARS = {"args": {"env": "prod", "list": [1, 2]}, "d": {"a": {}}, "l": [3, 1, 2], "n": 7, "tree": [{"c": [{"c": [], "n": 1}], "n": 2}]}

# What fails.
FAILURES = {
    "name": "{{ missing }}",
    "attribute": "{{ d.a.nope.x }}",
    "division": "{{ n / 0 }}",
    "raised": "{{ raise('no') }}",
    "type": "{{ n + 'x' }}",
    "condition": "{% if missing %}{% endif %}",
    "loop": "{% for i in missing %}{% endfor %}",
    "syntax": "{% if %}",
    "filter": "{{ n | nofilter }}",
}

# How `main.j2` gets there; FAIL stands for one of the failures. The first file is `main.j2`.
WAYS = {
    "here": ["one\n\n  x: FAIL\n"],
    "if": ["a\n{% if n %}\nFAIL\n{% endif %}"],
    "for": ["a\n{% for i in l %}\n  {% if i == 1 %}\n  FAIL\n  {% endif %}{% endfor %}"],
    "recursive loop": ["{% for i in tree recursive %}\n{{ i.n }}\n{% if i.n == 1 %}\nFAIL\n{% endif %}{{ loop(i.c) }}\n{% endfor %}"],
    "with": ["\n{% with a = 1 %}\nFAIL\n{% endwith %}"],
    "set block": ["\n{% set x %}\n\nFAIL\n{% endset %}"],
    "filter block": ["\n{% filter upper %}\n\nFAIL\n{% endfilter %}"],
    "include": ["a\n{% include 'inc.j2' %}\n", "inc.j2", "one\n two: FAIL\n"],
    "include in loop": ["a\n{% for i in l %}\n{% include 'inc.j2' %}\n{% endfor %}", "inc.j2", "FAIL"],
    "include without context": ["a\n\n{% include 'inc.j2' without context %}\n", "inc.j2", "one\nFAIL\n"],
    "include of a list": ["{% include ['no.j2', 'inc.j2'] ignore missing %}\n", "inc.j2", "one\nFAIL\n"],
    "two includes": ["\n{% include 'sub/a.j2' %}", "sub/a.j2", "\n\n{% include './b.j2' %}", "sub/b.j2", "x\nFAIL"],
    "macro": ["{% macro m(a) %}\n\n  FAIL\n{% endmacro %}\n\n{{ m(1) }}"],
    "macro in macro": ["{% macro a() %}\nFAIL{% endmacro %}\n{% macro b() %}\n\n{{ a() }}{% endmacro %}\n\n{{ b() }}"],
    "macro in loop": ["{% macro m(a) %}\nFAIL\n{% endmacro %}\n{% for i in l %}\n{{ m(i) }}\n{% endfor %}"],
    "imported macro": ["{% import 'm.j2' as lib %}\n\n{{ lib.m(1) }}", "m.j2", "\n{% macro m(x) %}\n\nFAIL{% endmacro %}"],
    "macro by name": ["{% from 'm.j2' import m with context %}\n\n{{ m(1) }}", "m.j2", "\n{% macro m(x) %}\n\nFAIL{% endmacro %}"],
    "macro of an import of an import": [
        "{% from 'm.j2' import m %}\n{{ m(1) }}", "m.j2", "{% import 'k.j2' as k %}\n{% macro m(x) %}\n{{ k.k() }}{% endmacro %}",
        "k.j2", "{% macro k() %}FAIL{% endmacro %}",
    ],
    "import": ["\n{% import 'm.j2' as lib %}", "m.j2", "\n\nFAIL"],
    "import with context": ["\n{% import 'm.j2' as lib with context %}", "m.j2", "\n\nFAIL"],
    "from import": ["\n{% from 'm.j2' import m %}", "m.j2", "{% set m = 1 %}\n\nFAIL"],
    "call": ["{% macro m() %}\n\n[{{ caller() }}]{% endmacro %}\n\n{% call m() %}\n\nFAIL{% endcall %}"],
    "call with arguments": ["{% macro m() %}\n{{ caller(1) }}{% endmacro %}\n\n{% call(a) m() %}{{ a }}\nFAIL{% endcall %}"],
    "call of an imported macro": [
        "{% import 'm.j2' as lib %}\n{% call lib.m() %}\n\nFAIL{% endcall %}", "m.j2", "{% macro m() %}\n\n{{ caller() }}{% endmacro %}",
    ],
    "call whose macro fails": ["{% macro m() %}\n{{ caller() }}\nFAIL{% endmacro %}\n\n{% call m() %}x{% endcall %}"],
    "macro argument": ["{% macro m(a) %}{{ a }}{% endmacro %}\n{% macro f() %}\nFAIL{% endmacro %}\n\n{{ m(f()) }}"],
    "block": ["\n{% block b %}\n\nFAIL{% endblock %}"],
    "block of a child": ["{% extends 'base.j2' %}\n{% block b %}\nFAIL{% endblock %}", "base.j2", "x\n\n{% block b %}{% endblock %}"],
    "block of the parent": ["{% extends 'base.j2' %}\n{% block c %}{% endblock %}", "base.j2", "x\n\n{% block b %}\nFAIL{% endblock %}"],
    "parent": ["{% extends 'base.j2' %}\n{% block c %}{% endblock %}", "base.j2", "x\n\nFAIL\n"],
    "super": [
        "{% extends 'base.j2' %}\n{% block b %}\n\n{{ super() }}{% endblock %}", "base.j2", "x\n\n{% block b %}\nFAIL{% endblock %}",
    ],
    "self": ["{% block b %}{% if r %}\n\nFAIL{% endif %}{% endblock %}\n{% set r = 1 %}{{ self.b() }}"],
    "include in block": ["{% block b %}\n{% include 'inc.j2' %}{% endblock %}", "inc.j2", "\nFAIL"],
    "macro in block": ["{% macro m() %}\nFAIL{% endmacro %}{% block b %}\n{{ m() }}{% endblock %}"],
    "render": ["\n\n{{ render(\"x\n{{ missing }}\") }}"],
    "render in include": ["\n{% include 'inc.j2' %}", "inc.j2", "\n\n{{ render('{{ 1 / 0 }}') }}"],
    "load_template": ["\n{{ load_template('sub/t.j2') }}", "sub/t.j2", "x\nFAIL"],
    "load_template in macro": ["{% macro m() %}\n{{ load_template('t.j2', a=1) }}{% endmacro %}\n{{ m() }}", "t.j2", "\nFAIL"],
    "load_sha256": ["\n\n{{ load_sha256('t.j2') }}", "t.j2", "\nFAIL"],
    "macro in load_template": ["\n{{ load_template('t.j2') }}", "t.j2", "{% macro m() %}\nFAIL{% endmacro %}\n\n{{ m() }}"],
    "include in load_template": ["\n{{ load_template('t.j2') }}", "t.j2", "\n{% include 'inc.j2' %}", "inc.j2", "\n\nFAIL"],
}

# Each way once with a missing name; some with all that can fail.
THOROUGH = ("here", "include", "imported macro", "call", "macro", "load_template")


def way(parts, failure):
    names = ["main.j2", *parts[1::2]]
    texts = [parts[0], *parts[2::2]]
    return {name: text.replace("FAIL", failure) for name, text in zip(names, texts)}


def frames(error):
    """The templates in a traceback, innermost first."""
    found = []
    for step in traceback.extract_tb(error.__traceback__):
        in_template = step.filename.startswith("/p/") or step.filename in ("<template>", "<unknown>")
        known = step.name == "template" or step.name == "top-level template code" or re.match(r"block '", step.name)
        if in_template and known:
            found.append([step.filename.removeprefix("/p/"), step.lineno, step.name])
    return found[::-1]


def answer(files):
    try:
        kluctl.environment(VARS, files).get_template("main.j2").render()
    except Exception as error:
        return [frames(error), type(error).__name__]
    raise AssertionError(f"no error: {files}")


def main():
    rows = []
    for name, parts in WAYS.items():
        for failure, text in FAILURES.items():
            if failure == "name" or name in THOROUGH:
                files = way(parts, text)
                rows.append([f"{name}: {failure}", files, *answer(files)])
                if not any("FAIL" in part for part in parts):
                    break
    lines = ",\n".join(json.dumps(row) for row in rows)
    path = pathlib.Path(__file__).with_name("chains.json")
    path.write_text(f'{{"vars": {json.dumps(VARS)}, "rows": [\n{lines}\n]}}\n')


if __name__ == "__main__":
    main()
