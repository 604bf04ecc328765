"""kluctl's filters and functions around Python's Jinja2, written from the description of its dialect.

Shared by random_templates.py and projects.py. What windlass does differently on purpose (spec A15) is not imitated here: templates
whose results depend on it do not belong in the corpora.
"""
import base64
import copy
import hashlib
import json
import posixpath

import jinja2
from functools import lru_cache

from jsonpath_ng.ext import parse
from slugify import slugify

from generate import EXACT, merge, merge_dict, ordered, to_yaml, update_dict

import yaml


@lru_cache
def parse_path(path):
    return parse(path)


class Loader(jinja2.BaseLoader):
    """Files of a project by name; `./` and `../` start at the including file."""

    def __init__(self, files):
        self.files = files

    def get_source(self, environment, template):
        name = template.removeprefix("/p/")
        if name not in self.files or ".." in name.split("/"):
            raise jinja2.TemplateNotFound(template)
        return self.files[name], "/p/" + name, lambda: True


class Environment(jinja2.Environment):
    def join_path(self, template, parent):
        if template.startswith(("./", "../")):
            return posixpath.normpath(posixpath.join(posixpath.dirname(parent), template))
        return template


@jinja2.pass_context
def render(context, template):
    return context.environment.from_string(template).render(context.get_all())


@jinja2.pass_context
def load_template(context, path, **variables):
    environment = context.environment
    template = environment.get_template(environment.join_path(path, context.name or ""))
    names = {}
    for name, value in context.get_all().items():
        try:
            names[name] = copy.deepcopy(value)
        except TypeError:
            names[name] = value
    return template.render(merge(names, variables))


@jinja2.pass_context
def load_sha256(context, path, digest_len=None):
    if context.get("__calc_sha256__"):
        return "__self_sha256__"
    text = load_template(context, path, __calc_sha256__=True)
    return hashlib.sha256(text.encode()).hexdigest()[:digest_len]


@jinja2.pass_context
def load_base64(context, path, width=None):
    source = context.environment.loader.get_source(context.environment, path)[0]
    text = base64.b64encode(source.encode()).decode()
    if not width:
        return text
    return "\n".join(text[at:at + width] for at in range(0, len(text), width))


@jinja2.pass_context
def get_var(context, path, default=None):
    for candidate in path if isinstance(path, list) else [path]:
        if isinstance(candidate, list):
            candidate = "$" + "".join(f"[{part}]" if isinstance(part, int) else f"['{part}']" for part in candidate)
        found = parse_path(candidate).find(dict(context.get_all()))
        if len(found) > 1:
            raise ValueError("Only simple jsonpath supported in get_dict_value")
        if found:
            return found[0].value
    return default


def do_raise(message):
    raise jinja2.TemplateError(message)


def b64encode(text):
    return base64.b64encode(text.encode()).decode()


def sha256(text, digest_len=None):
    if isinstance(text, str):
        text = text.encode()
    return hashlib.sha256(text).hexdigest()[:digest_len]


@jinja2.pass_context
def render_filter(context, template):
    return render(context, template)


def environment(variables, files):
    env = Environment(loader=Loader(files), undefined=jinja2.StrictUndefined, extensions=["jinja2.ext.loopcontrols"])
    env.filters.update(
        to_yaml=to_yaml, to_json=lambda value: json.dumps(value), from_yaml=yaml.safe_load, b64encode=b64encode,
        b64decode=lambda text: base64.b64decode(text.encode()).decode(), sha256=sha256, slugify=slugify, render=render_filter,
    )
    env.globals.update(ordered(variables))
    env.globals.update({
        "merge_dict": merge_dict, "update_dict": update_dict, "raise": do_raise, "render": render, "load_template": load_template,
        "load_sha256": load_sha256, "load_base64": load_base64, "get_var": get_var, "debug_print": lambda message: "",
    })
    return env


def answer(make_template):
    """`[output]` or `[null, kind, message]`; messages only where they must be equal."""
    try:
        return [make_template()]
    except jinja2.TemplateNotFound as error:
        return [None, "TemplateNotFound", f"template {error.message} not found"]
    except RecursionError:
        return [None, "RecursionError", ""]
    except Exception as error:  # the kind is part of the answer
        kind = type(error).__name__
        return [None, kind, str(error) if kind in EXACT else ""]
