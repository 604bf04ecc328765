#!/usr/bin/env python3
"""Writes cases.json and systematic.json: what Python's Jinja2 makes of the
templates in cases.txt and of those that systematic.py builds.

Needs Jinja2==3.1.6 and PyYAML==6.0.3 (python3 -m venv, pip install). The
environment is the one of the project's description of kluctl's dialect:
strict undefined, loop controls, no trimming, kluctl's filters re-implemented
here from that description. A normal test run needs no Python.
"""
import base64
import copy
import hashlib
import json
import pathlib

import jinja2
import yaml

import systematic

HERE = pathlib.Path(__file__).parent
# Kinds of errors whose texts must be equal, too (the same list as in oracle.rs).
EXACT = ("UndefinedError", "TemplateNotFound", "TemplateError", "ZeroDivisionError")

VARS = {
    "n": 7, "neg": -7, "zero": 0, "f": 2.5, "big": 12345678901234567890, "small": 0.00001, "t": True, "no": False, "nil": None,
    "s": "hello world", "e": "", "q": "it's", "u": "Grüße ✓", "ml": "a\nb\n", "html": "<a href=\"x\">&'</a>",
    "l": [3, 1, 2], "el": [], "ls": ["b", "A", "c"], "ll": [[1, 2], [3]],
    "d": {"b": 1, "a": {"x": "y"}, "items": 5}, "ed": {},
    "users": [{"name": "bob", "age": 30}, {"name": "Al", "age": 25}, {"name": "cy", "age": 30}],
    "args": {"env": "prod", "replicas": 3, "list": [1, 2], "nested": {"k": "v", "z-z": 1}},
}

FILES = {
    "inc.j2": "[{{ s }}{% set leak = 1 %}]",
    "loopvar.j2": "<{{ i }}>",
    "macros.j2": "{% macro m(x, y=2) %}{{ x }}-{{ y }}{% endmacro %}{% set exported = 5 %}{% set _private = 1 %}",
    "base.j2": "A{% block one %}base{% endblock %}B{% block two %}{% endblock %}C",
    "bad.j2": "line one\n{{ missing_name }}",
}


class Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data):
        return True


def represent_str(dumper, text):
    style = None
    if len(text.splitlines()) > 1:
        style = "|"
    elif text.isnumeric():
        style = "'"
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


Dumper.add_representer(str, represent_str)


def to_yaml(value):
    return yaml.dump(value, Dumper=Dumper, default_flow_style=False, sort_keys=False)


def merge(base, other):
    for key, value in (other or {}).items():
        if isinstance(base.get(key), dict) and isinstance(value, dict):
            merge(base[key], value)
        else:
            base[key] = value
    return base


def merge_dict(base, other):
    if base is None:
        raise TypeError("a is none")
    return merge(copy.deepcopy(base), other)


def update_dict(base, other):
    merge(base, other)
    return ""


def do_raise(message):
    raise jinja2.TemplateError(message)


def ordered(value):
    """Project variables iterate in the order of their keys."""
    if isinstance(value, dict):
        return {key: ordered(value[key]) for key in sorted(value)}
    return [ordered(item) for item in value] if isinstance(value, list) else copy.deepcopy(value)


def environment():
    env = jinja2.Environment(
        loader=jinja2.DictLoader(FILES), undefined=jinja2.StrictUndefined, extensions=["jinja2.ext.loopcontrols"]
    )
    env.filters.update(
        to_yaml=to_yaml,
        to_json=lambda value: json.dumps(value),
        from_yaml=lambda text: yaml.safe_load(text),
        b64encode=lambda text: base64.b64encode(text.encode()).decode(),
        b64decode=lambda text: base64.b64decode(text.encode()).decode(),
        sha256=lambda text, digest_len=None: hashlib.sha256(text.encode()).hexdigest()[:digest_len],
    )
    env.globals.update(ordered(VARS))
    env.globals.update({
        "merge_dict": merge_dict, "update_dict": update_dict, "raise": do_raise,
    })
    return env


def run(template):
    try:
        return {"template": template, "output": environment().from_string(template).render()}
    except jinja2.TemplateNotFound as error:
        return {"template": template, "error": "TemplateNotFound", "message": f"template {error.message} not found"}
    except RecursionError:
        return {"template": template, "error": "RecursionError", "message": ""}
    except Exception as error:  # the kind is part of the answer
        return {"template": template, "error": type(error).__name__, "message": str(error)}


def main():
    templates = []
    for line in (HERE / "cases.txt").read_text().splitlines():
        if line and not line.startswith("##"):
            templates.append(line.replace("⏎", "\n"))
    duplicates = {text for text in templates if templates.count(text) > 1}
    if duplicates:
        raise SystemExit(f"duplicates: {duplicates}")
    answer = {"vars": VARS, "files": FILES, "cases": [run(text) for text in templates]}
    (HERE / "cases.json").write_text(json.dumps(answer, indent=1, ensure_ascii=False) + "\n")
    listed = set(templates)
    built = [run(text) for text in systematic.templates() if text not in listed]
    write_systematic([case for case in built if " at 0x" not in case.get("output", "")])
    print(len(templates), "cases and", len(built), "built ones")


def write_systematic(cases):
    """One line per case: [template, output] or [template, null, kind, message]."""
    rows = [[case["template"], case.get("output")] + [case[key] for key in ("error", "message") if key in case] for case in cases]
    for row in rows:
        if len(row) == 4 and row[2] not in EXACT:
            row[3] = ""
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    (HERE / "systematic.json").write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()
