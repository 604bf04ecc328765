#!/usr/bin/env python3
"""Writes random.json: templates from a grammar with a fixed seed, and what Python's Jinja2 makes of them.

Most templates are typed, so that they render; some are damaged on purpose. Needs what projects.py needs.
"""
import json
import pathlib
import random

from generate import VARS, FILES
import kluctl

HERE = pathlib.Path(__file__).parent
SEED = 20240607
WANTED = 3600

CONTEXTS = [
    {},
    {"n": 0, "neg": -1, "f": 0.1, "s": "", "l": [], "ls": [], "users": [], "d": {}, "t": False},
    {"n": 12, "f": 1e22, "s": "Müller & Söhne <x>", "l": [1, 1, 2], "ls": ["x"], "ml": "one\n  two\n\nthree", "d": {"Z": 1, "a": [1, 2], "b": None}},
    {"n": -3, "f": -7.75, "s": "it's \"q\"", "u": "日本語 😀", "ls": ["aa", "Ab", "b-c", "d_e"], "users": [{"name": "x y", "age": 1}], "ll": [[], [1], [1, 2, 3]]},
    {"n": 1000000, "f": 123456.789, "s": "  padded\ttext ", "l": [10, -20, 30, 0], "d": {"k": {"k": {"k": "v"}}, "l": [{"x": 1}]}, "no": True},
]

EXTRA_FILES = {
    "lib.j2": "{% macro label(k, v='none', quote=true) %}{{ k }}: {% if quote %}\"{{ v }}\"{% else %}{{ v }}{% endif %}{% endmacro %}\n"
              "{% macro each(items) %}{% for i in items %}{{ caller(i) if caller else i }};{% endfor %}{% endmacro %}\n"
              "{% macro opts() %}{{ varargs }}{{ kwargs }}{% endmacro %}\n"
              "{% set table = {'a': 1, 'b': [2, 3]} %}{% macro sum_all(first, second=first) %}{{ first + second }}{% endmacro %}",
    "row.j2": "- {{ x | default('nox') }}{% if loop is defined %}/{{ loop.index }}{% endif %}\n",
    "page.j2": "<{% block head %}H{{ n }}{% endblock %}|{% block body scoped %}B{% endblock %}|{% for i in [1, 2] %}{% block item scoped %}{{ i }}{% endblock %}{% endfor %}>",
    "mid.j2": "{% extends 'page.j2' %}{% block head %}[{{ super() }}]{% endblock %}{% block extra %}{% endblock %}",
    "nested/part.j2": "P{{ s | length }}{% include './deep.j2' %}",
    "nested/deep.j2": "D{{ l | length }}",
}

STRINGS = ["a", "abc", "Hello World", "x-y_z", "a.b/c", "1", "007", "é", "it's", "a\\nb", "  t ", "", "<b>&", "k=v", "100%", "CamelCase", "a,b,c"]
TEXTS = ["", " ", "\n", "text", "key: ", "  - ", "a b\n", "\n\n", "\t", "# c\n", "{", "}", "ü", "<p>", ", "]


class Grammar:
    def __init__(self, seed):
        self.dice = random.Random(seed)
        self.scopes = []
        self.counter = 0
        self.in_loop = 0
        self.damaged = False

    def pick(self, *choices):
        """One of them; `¨` stands for a double quote and `⏎` for an escaped line break."""
        choice = self.dice.choice(choices)
        return choice.replace("¨", '"').replace("⏎", "\\n") if isinstance(choice, str) else choice

    def chance(self, probability):
        return self.dice.random() < probability

    def fresh(self):
        self.counter += 1
        return f"v{self.counter}"

    def known(self, kind):
        return [name for names in self.scopes for name, known in names if known == kind]

    def declare(self, name, kind):
        self.scopes[-1].append((name, kind))

    def of(self, kind, depth):
        if self.chance(0.015):
            kind = self.pick("int", "str", "list", "dict", "bool", "none")
        names = self.known(kind)
        if names and self.chance(0.35):
            return self.pick(*names)
        return getattr(self, "an_" + kind)(max(depth, 0))

    def an_none(self, depth):
        return self.pick("none", "nil", "missing", "d.nope", "[][0]")

    def an_any(self, depth):
        return self.of(self.pick("int", "int", "str", "str", "float", "bool", "list", "strings", "dict"), depth)

    def an_int(self, depth):
        if depth == 0 or self.chance(0.2):
            return self.pick("n", "neg", "zero", "1", "2", "3", "10", "-4", "0x1F", "1_000", "args.replicas", "l | length", "s | length", "7")
        a, b = (lambda: self.of("int", depth - 1)), (lambda: self.of("list", depth - 1))
        return self.pick(
            lambda: f"{a()} {self.pick('+', '-', '*', '+', '-')} {a()}", lambda: f"({a()} {self.pick('+', '-', '*')} {a()})",
            lambda: f"{a()} // {self.pick('2', '3', '-2', '7', '(n or 1)')}", lambda: f"{a()} % {self.pick('2', '3', '-5', '10')}", lambda: f"-{self.pick('n', '3')} ** 2",
            lambda: f"({a()}) | abs", lambda: f"{b()} | length", lambda: f"{b()} | sum", lambda: f"{self.of('str', depth - 1)} | length", lambda: f"({a()} if {self.of('bool', depth - 1)} else {a()})",
            lambda: f"{self.pick('¨12¨', '¨x¨', 'f', '¨ 7 ¨', '¨0x1f¨', 'none', '¨1e3¨')} | int", lambda: f"'{self.pick('ff', '777', '101', 'z')}' | int(0, {self.pick(2, 8, 16)})",
            lambda: f"[{a()}, {a()}] | {self.pick('max', 'min', 'first', 'last', 'sum')}", lambda: f"({self.of('str', depth - 1)}).{self.pick('count', 'find', 'rfind')}('{self.pick('a', 'l', '', 'zz')}')",
            lambda: f"args.list[{self.pick(0, 1, -1)}]", lambda: f"(2 ** {self.pick(0, 3, 10, 40)})", lambda: f"users | map(attribute='age') | sum", lambda: f"({a()}) | round | int",
            lambda: f"[3, 1, 2].index({self.pick(1, 2, 3)})", lambda: f"{{'a': {a()}}}.a", lambda: f"d.get('b', 5) | int", lambda: "s | wordcount", lambda: f"({b()}) | default([1], true) | first",
        )()

    def an_float(self, depth):
        if depth == 0 or self.chance(0.3):
            return self.pick("f", "1.5", "small", "2.0", "1e3", "0.1 + 0.2", "1e16", "3.14159", "1e-7", "100.0")
        a = lambda: self.of(self.pick("int", "float"), depth - 1)
        return self.pick(
            lambda: f"{a()} / {self.pick('2', '3', '-4', '0.5', '7')}", lambda: f"({a()}) | float", lambda: f"({a()}) | round({self.pick(0, 1, 2, -1)})", lambda: f"({a()}) * {self.pick('1.1', '0.5', '2.0')}",
            lambda: f"({a()}) | round({self.pick(0, 1, 3)}, '{self.pick('common', 'ceil', 'floor')}')", lambda: f"{a()} + 0.5", lambda: f"({a()}) % 2.5", lambda: f"({a()}) // 1.5", lambda: f"2 ** -{self.pick(1, 2, 5)}",
            lambda: f"'{self.pick('1.5', 'x', '1e5', 'inf', ' 2 ')}' | float({self.pick('', '1.0', 'default=9.5')})", lambda: f"[1.5, {a()}] | sum",
        )()

    def literal(self):
        quote = self.pick("'", "'", '"')
        return quote + self.pick(*STRINGS).replace("'", "\\'").replace('"', '\\"') + quote

    def an_str(self, depth):
        if depth == 0 or self.chance(0.25):
            return self.pick("s", "u", "q", "ml", "html", "args.env", self.literal(), self.literal(), self.literal())
        a = lambda: self.of("str", depth - 1)
        return self.pick(
            lambda: f"{a()} ~ {self.of('any', depth - 1)}", lambda: f"{a()} + {a()}", lambda: f"({a()} ~ {a()})", lambda: f"({a()}) * {self.pick(0, 1, 2, 3)}", lambda: f"({a()}){self.cut()}",
            lambda: f"({a()}) | {self.pick('upper', 'lower', 'title', 'capitalize', 'trim', 'string', 'reverse', 'e', 'forceescape', 'safe', 'urlencode', 'striptags', 'b64encode', 'sha256', 'sha256(8)', 'to_json', 'tojson', 'slugify')}",
            lambda: f"({a()}) | {self.text_filter()}", lambda: f"({a()}).{self.text_method()}", lambda: f"({a()}).{self.text_method()}",
            lambda: f"{self.of('strings', depth - 1)} | join({self.pick('', '¨, ¨', '¨-¨', 'd=¨|¨')})", lambda: f"{self.of('list', depth - 1)} | join(',')", lambda: f"','.join({self.of('strings', depth - 1)})",
            lambda: f"'{self.pick('%s=%s', '%s-%5s|', '%r%s', '[%-6s]%s')}' % ({self.of('any', depth - 1)}, {a()})", lambda: f"'{self.pick('%d', '%05d', '%x', '%+d', '%3d|', '%.2f', '%e', '%s')}' % ({self.of('int', depth - 1)})",
            lambda: f"'{self.pick('{}:{}', '{0}{1}{0}', '{:>8}|{}', '{!r}/{}', '{:^9}{}')}'.format({a()}, {self.of('int', 0)})", lambda: f"'{self.pick('%s/%s', '%s%s')}' | format({a()}, {self.of('any', depth - 1)})",
            lambda: f"({a()} if {self.of('bool', depth - 1)} else {a()})", lambda: f"{self.pick('missing', 'd.zzz', 'args.nope')} | {self.pick('default', 'd')}({a()})", lambda: f"({a()} or {a()})",
            lambda: f"{self.of('any', depth - 1)} | string", lambda: f"{self.of('dict', depth - 1)} | {self.pick('to_json', 'tojson', 'to_yaml', 'string')}", lambda: f"{self.of('list', depth - 1)} | {self.pick('to_json', 'tojson', 'string', 'to_yaml')}",
            lambda: f"({self.of('int', depth - 1)}) | filesizeformat", lambda: f"users | map(attribute='name') | join('{self.pick(',', '/', '')}')", lambda: f"[{a()}, {a()}] | {self.pick('first', 'last', 'max', 'min')}",
        )()

    def cut(self):
        part = lambda: self.pick("", "", "0", "1", "2", "-1", "-3", "5", "99")
        return self.pick(f"[{part()}:{part()}]", f"[{part()}:{part()}]", f"[{part()}:{part()}:{self.pick('', '1', '2', '-1', '-2')}]")

    def text_filter(self):
        return self.pick(
            "replace('a', 'b')", "replace('l', '', 1)", "indent(2)", "indent(4, true)", "indent(width=3, blank=true)", "indent(first=true)", "truncate(5)", "truncate(8, true, '..')", "truncate(6, false, '-', 0)",
            "center(12)", "wordwrap(5)", "wordwrap(9, false)", "default('x', true)", "trim('a ')", "urlize", "list | join('.')", "list | unique | join", "batch(2) | map('join') | join('/')", "first | default('-')",
            "last | default('-')", "sort | join", "slice(2) | map('join') | join('|')", "upper | lower", "map('upper') | join", "select('in', 'aeiou') | join", "xmlattr", "replace(old='o', new='0')",
        )

    def text_method(self):
        return self.pick(
            "upper()", "lower()", "title()", "capitalize()", "swapcase()", "strip()", "lstrip()", "rstrip('d')", "strip('aH ')", "replace('a', 'o')", "replace('l', 'L', 1)", "center(11, '*')", "ljust(6, '.')", "rjust(6)",
            "zfill(5)", "split() | join('+')", "split('a') | join('_')", "split(' ', 1) | last", "rsplit(' ', 1) | first", "splitlines() | join('/')", "splitlines(true) | join", "partition(' ') | join('|')", "rpartition('l') | last",
            "removeprefix('a')", "removesuffix('c')", "expandtabs(4)", "casefold()", "split(',')[0]", "format(1)", "join(['x', 'y'])", "rjust(width=4)",
        )

    def an_bool(self, depth):
        if depth == 0 or self.chance(0.2):
            return self.pick("t", "no", "true", "false", "n > 3", "s is defined", "missing is defined", "args.env == 'prod'")
        i, s, b = (lambda: self.of("int", depth - 1)), (lambda: self.of("str", depth - 1)), (lambda: self.of("bool", depth - 1))
        return self.pick(
            lambda: f"{i()} {self.pick('<', '<=', '>', '>=', '==', '!=')} {i()}", lambda: f"{s()} {self.pick('<', '==', '!=', '>=')} {s()}", lambda: f"({b()} {self.pick('and', 'or')} {b()})", lambda: f"not {b()}",
            lambda: f"({s()}) {self.pick('in', 'not in')} {s()}", lambda: f"({i()}) in {self.of('list', depth - 1)}", lambda: f"{s()} in {self.of('strings', depth - 1)}", lambda: f"'{self.pick('a', 'b', 'k')}' in {self.of('dict', depth - 1)}",
            lambda: f"({i()}) is {self.pick('odd', 'even', 'divisibleby 3', 'number', 'integer', 'not odd', 'gt 2', 'le(5)', 'in [1, 2, 7]', 'eq 7', 'float', 'boolean')}", lambda: f"({s()}) is {self.pick('string', 'lower', 'upper', 'none', 'mapping', 'iterable', 'sequence', 'not none', 'ne none')}",
            lambda: f"({self.of('any', depth - 1)}) is {self.pick('defined', 'none', 'true', 'false', 'string', 'number', 'mapping', 'iterable', 'sequence', 'callable')}", lambda: f"1 < {i()} < 100",
            lambda: f"({s()}).{self.pick('startswith', 'endswith')}({self.pick('¨a¨', '¨H¨', '(¨a¨, ¨d¨)', '¨¨')})", lambda: f"({s()}).{self.pick('isalnum', 'isdigit', 'isalpha', 'isupper', 'islower', 'isspace', 'istitle', 'isidentifier')}()", lambda: f"{self.of('list', depth - 1)} == {self.of('list', depth - 1)}",
        )()

    def an_list(self, depth):
        if depth == 0 or self.chance(0.2):
            return self.pick("l", "args.list", "[1, 2, 3]", "[3, 1, 2]", "[]", "range(4) | list", "(1, 2)", "[n, neg, 0]")
        a, i = (lambda: self.of("list", depth - 1)), (lambda: self.of("int", depth - 1))
        return self.pick(
            lambda: f"[{i()}, {i()}, {i()}]", lambda: f"({a()} | list) + [{i()}]", lambda: f"({a()}){self.cut()}", lambda: f"{a()} | {self.pick('sort', 'sort(reverse=true)', 'unique | list', 'reverse | list', 'list')}", lambda: f"{a()} | map('abs') | list",
            lambda: f"{a()} | select({self.pick('¨odd¨', '¨gt¨, 1', '¨even¨', '¨divisibleby¨, 3', '')}) | list", lambda: f"{a()} | reject({self.pick('¨odd¨', '¨lt¨, 2', '¨eq¨, 1')}) | list", lambda: f"range({self.pick(0, 3, 5)}, {self.pick(6, 9, -2)}, {self.pick(1, 2, 4)}) | list",
            lambda: "users | map(attribute='age') | list", lambda: "users | map(attribute='age') | sort | unique | list", lambda: f"[[1, 2], {a()}] | {self.pick('first', 'last')} | list", lambda: f"({a()} if {self.of('bool', depth - 1)} else {a()})",
            lambda: f"{a()} | map('string') | map('int') | list", lambda: f"([{i()}] * {self.pick(0, 2, 3)})", lambda: f"ll | sum(start=[])", lambda: f"[{i()}, [{i()}]] | map('default', 0) | map('string') | map('length') | list",
        )()

    def an_strings(self, depth):
        if depth == 0 or self.chance(0.3):
            return self.pick("ls", "['x', 'y']", "['b', 'A', 'c']", "s.split()", "('p', 'q')", "'a,b'.split(',')", "users | map(attribute='name') | list", "['web', 'api', 'worker']")
        a, s = (lambda: self.of("strings", depth - 1)), (lambda: self.of("str", depth - 1))
        return self.pick(
            lambda: f"[{s()}, {s()}]", lambda: f"{a()} | {self.pick('sort', 'sort(reverse=true)', 'sort(case_sensitive=true)', 'unique | list', 'reverse | list', 'list')}", lambda: f"{a()} | map('{self.pick('upper', 'lower', 'trim', 'title', 'capitalize', 'e', 'b64encode', 'reverse')}') | list",
            lambda: f"{a()} | map('replace', 'a', '{self.pick('', 'o', 'AA')}') | list", lambda: f"({a()} | list) + ['{self.pick('z', 'a b')}']", lambda: f"({a()}){self.cut()}", lambda: f"({s()}).split({self.pick('', '¨ ¨', '¨a¨', '¨,¨, 1')})", lambda: f"({s()}) | list",
            lambda: f"{self.of('dict', depth - 1)} | list | map('string') | list", lambda: f"({a()}) | select({self.pick('¨ne¨, ¨¨', '¨string¨', '¨in¨, [¨a¨, ¨x¨]')}) | list", lambda: f"({s()}).splitlines()", lambda: "users | selectattr('age', 'gt', 26) | map(attribute='name') | list",
            lambda: "users | rejectattr('age', 'eq', 30) | map(attribute='name') | list", lambda: f"{a()} | map('length') | map('string') | list", lambda: f"{a()} | batch(2, '-') | map('join', '') | list",
        )()

    def an_dict(self, depth):
        if depth == 0 or self.chance(0.25):
            return self.pick("d", "args", "args.nested", "ed", "{'a': 1}", "{'k': 'v', 'l': [1]}", "dict(a=1, b='x')", "{}")
        a = lambda: self.of("dict", depth - 1)
        return self.pick(
            lambda: f"{{'{self.pick('a', 'b', 'key')}': {self.of('any', depth - 1)}, '{self.pick('x', 'Z', 'k-k')}': {self.of('any', depth - 1)}}}", lambda: f"merge_dict({a()}, {a()})", lambda: f"dict({a()}, q={self.of('any', depth - 1)})",
            lambda: f"dict({a()} | dictsort)", lambda: f"({a()}).copy()", lambda: f"({a()} if {self.of('bool', depth - 1)} else {a()})", lambda: f"{{'m': {a()}}}.m", lambda: f"'{self.pick('a: 1', 'x: [1, 2]⏎b: c', '{q: null}', 'k: yes⏎n: 0o7')}' | from_yaml", lambda: f"{a()} | to_yaml | from_yaml", lambda: f"{a()} | tojson | from_yaml",
        )()

    # Statements

    def tag(self, body):
        return f"{{%{self.pick('', '', '', '-', '+')} {body} {self.pick('', '', '', '-')}%}}"

    def output(self, expression):
        return f"{{{{{self.pick('', '', '', '-')} {expression} {self.pick('', '', '', '-')}}}}}".replace("{{{", "{{ {")

    def text(self):
        return self.pick(*TEXTS)

    def body(self, depth, scope=True):
        if scope:
            self.scopes.append([])
        text = "".join(self.statement(depth) for _ in range(self.dice.randint(1, 3)))
        if scope:
            self.scopes.pop()
        return text

    def statement(self, depth):
        if depth == 0 or self.chance(0.4):
            return self.text() + self.output(self.of("any", 2))
        return self.pick(
            self.do_if, self.do_if, self.do_for, self.do_for, self.do_for, self.do_for_dict, self.do_set, self.do_set, self.do_set_block, self.do_with, self.do_macro, self.do_macro, self.do_call, self.do_filter, self.do_include,
            self.do_import, self.do_namespace, self.do_mutation, self.do_mutation, self.do_raw, self.do_recursive, self.do_users, self.do_render,
        )(depth - 1)

    def do_if(self, depth):
        parts = [self.tag(f"if {self.of('bool', 2)}"), self.body(depth, False)]
        if self.chance(0.3):
            parts += [self.tag(f"elif {self.of('bool', 1)}"), self.body(depth, False)]
        if self.chance(0.5):
            parts += [self.tag("else"), self.body(depth, False)]
        return "".join(parts + [self.tag("endif")])

    def loop_piece(self):
        piece = self.pick("loop.index", "loop.index0", "loop.revindex", "loop.revindex0", "loop.first", "loop.last", "loop.length", "loop.cycle('a', 'b')", "loop.depth", "loop.depth0", "loop.previtem | default('-')", "loop.nextitem | default('-')", "loop.changed(n)")
        return self.output(piece)

    def do_for(self, depth):
        kind, of = self.pick(("int", "list"), ("str", "strings"), ("int", "list"))
        name = self.pick("x", "i", "item")
        condition = f" if {self.pick(name, 'n', 'true', name + ' != 1', 'loop is not defined')}" if self.chance(0.2) else ""
        head = self.tag(f"for {name} in {self.of(of, 2)}{condition}")
        self.scopes.append([(name, kind)])
        self.in_loop += 1
        inner = self.text() + self.output(name) + (self.loop_piece() if self.chance(0.6) else "") + (self.body(depth) if depth else "")
        if self.chance(0.15):
            inner += self.tag(f"if {self.pick(name + ' == 2', 'loop.index > 1', 'loop.last')}") + self.tag(self.pick("break", "continue")) + self.tag("endif") + self.text()
        self.in_loop -= 1
        self.scopes.pop()
        other = self.tag("else") + "none" if self.chance(0.25) else ""
        return head + inner + other + self.tag("endfor")

    def do_for_dict(self, depth):
        source = self.of("dict", 1)
        source = self.pick(f"({source}).items()", f"({source}) | items", f"({source}) | dictsort", f"{{'a': 1, 'b': 2}}.items()", "[(1, 2), (3, 4)]", "[['a', 'b']]")
        self.scopes.append([])
        text = self.tag(f"for k, v in {source}") + self.output("k") + "=" + self.output(self.pick("v", "v | string", "v | to_json")) + (self.loop_piece() if self.chance(0.3) else "") + "; " + (self.body(depth) if self.chance(0.3) else "") + self.tag("endfor")
        self.scopes.pop()
        return text

    def do_set(self, depth):
        name, kind = self.fresh(), self.pick("int", "str", "list", "strings", "dict", "bool", "float")
        text = self.tag(f"set {name} = {self.of(kind, 2)}")
        if self.chance(0.1):
            other = self.fresh()
            text = self.tag(f"set {name}, {other} = {self.of(kind, 1)}, {self.of('str', 1)}")
            self.declare(other, "str")
        self.declare(name, kind)
        return text + (self.output(name) if self.chance(0.5) else "")

    def do_set_block(self, depth):
        name = self.fresh()
        text = self.tag(f"set {name}" + self.pick("", "", " | upper", " | trim", " | indent(2)", " | trim | lower")) + self.body(depth) + self.tag("endset")
        self.declare(name, "str")
        return text + self.output(name)

    def do_with(self, depth):
        name, kind = self.fresh(), self.pick("int", "str", "list")
        head = self.tag(f"with {name} = {self.of(kind, 2)}" + self.pick("", f", w = {self.of('int', 1)}"))
        self.scopes.append([(name, kind)])
        text = head + self.body(depth) + self.output(name) + self.tag("endwith")
        self.scopes.pop()
        return text

    def do_macro(self, depth):
        name = "m" + self.fresh()
        parameters = self.pick("a", "a, b=2", "a, b=a", "a, b='x', c=none", "a=1", "a, b=n")
        self.scopes.append([("a", "int")])
        inner = self.output("a") + self.pick("", self.output("varargs | length"), self.output("kwargs"), self.output("b | default('-')") if "b" in parameters else "") + self.body(depth)
        self.scopes.pop()
        text = self.tag(f"macro {name}({parameters})") + inner + self.tag("endmacro")
        a = lambda: self.of("int", 1)
        for _ in range(self.dice.randint(1, 2)):
            arguments = self.pick(a(), a(), f"a={a()}", f"{a()}, {a()}", f"{a()}, b={a()}", f"*[{a()}]", f"**{{'a': {a()}}}", "") if self.chance(0.75) else a()
            text += self.text() + self.output(f"{name}({arguments})" + self.pick("", "", "", " | trim", " | upper", " ~ '!'"))
        return text

    def do_call(self, depth):
        name = "c" + self.fresh()
        return (self.tag(f"macro {name}(a)") + "[" + self.output(self.pick("caller(a)", "caller(a) | upper", "caller(a) ~ caller(n)")) + "]" + self.tag("endmacro")
                + self.tag(f"call(z) {name}({self.of('int', 1)})") + self.output("z") + self.text() + self.output(self.of("any", 1)) + self.tag("endcall"))

    def do_filter(self, depth):
        return self.tag("filter " + self.pick("upper", "indent(2)", "trim", "replace('a', 'b')", "title | trim", "b64encode", "wordwrap(10)", "e", "truncate(9)")) + self.body(depth) + self.tag("endfilter")

    def do_include(self, depth):
        return self.text() + self.tag("include " + self.pick("'inc.j2'", "'row.j2'", "'nested/part.j2'", "['nope.j2', 'row.j2']", "'nope.j2' ignore missing", "'loopvar.j2'" if self.chance(0.3) else "'row.j2'", "'inc' ~ '.j2'", "'nope.j2'" if self.chance(0.2) else "'inc.j2'")) + self.text()

    def do_import(self, depth):
        return self.pick(
            lambda: self.tag("import 'lib.j2' as lib") + self.output(f"lib.label({self.of('str', 1)}, {self.of('any', 1)})"), lambda: self.tag("from 'lib.j2' import label, sum_all as total") + self.output(f"label('k', quote={self.of('bool', 1)})") + self.output(f"total({self.of('int', 1)})"),
            lambda: self.tag("import 'lib.j2' as lib") + self.output("lib.table.b") + self.output(f"lib.opts({self.of('any', 1)}, z={self.of('any', 1)})"), lambda: self.tag("from 'lib.j2' import each") + self.tag(f"call(i) each({self.of('list', 1)})") + "<" + self.output("i") + ">" + self.tag("endcall"),
            lambda: self.tag("from 'macros.j2' import m, exported with context") + self.output(f"m({self.of('any', 1)})") + self.output("exported"), lambda: self.tag("from 'lib.j2' import nothing") + (self.output("nothing") if self.chance(0.2) else ""),
        )()

    def do_namespace(self, depth):
        name = "ns" + self.fresh()
        return (self.tag(f"set {name} = namespace(c=0, l=[], s='')") + self.tag(f"for i in {self.of('list', 1)}") + self.tag(f"set {name}.c = {name}.c + {self.pick('1', 'loop.index', '2')}") + self.tag(f"set {name}.s = {name}.s ~ i")
                + self.pick("", self.tag(f"set _ = {name}.l.append(i)")) + self.tag("endfor") + self.output(f"{name}.c") + self.output(f"{name}.s") + self.output(f"{name}.l"))

    def do_mutation(self, depth):
        name, alias = self.fresh(), self.fresh()
        if self.chance(0.5):
            steps = [f"{self.pick(name, alias)}." + self.pick(f"append({self.of('any', 1)})", "extend([8, 9])", "insert(0, 'i')", "pop()", "pop(0)", "reverse()", "remove(2)", "clear()", "append([1])", "insert(-1, 5)", "copy()", "sort()") for _ in range(self.dice.randint(1, 4))]
            start = self.pick("[1, 2, 3]", "[2, 5, 1]", "l | list", "[]" if self.chance(0.3) else "[2]")
        else:
            steps = [f"{self.pick(name, alias)}." + self.pick(f"update({{'k': {self.of('any', 1)}}})", "update(z=1)", "pop('a')", "pop('zz', 0)", "setdefault('q', [])", "setdefault('q', []).append(1)", "get('a')", "popitem()", "clear()", "update([('t', 1)])") for _ in range(self.dice.randint(1, 4))]
            start = self.pick("{'a': 1, 'b': [2]}", "{'a': {}}", "merge_dict(d, {'a': 0})", "{}" if self.chance(0.3) else "{'a': 2}")
        text = self.tag(f"set {name} = {start}") + self.tag(f"set {alias} = {name}")
        for step in steps:
            text += self.pick(self.tag(f"set _ = {step}"), self.tag(f"set _ = {step}"), self.output(step))
        return text + self.output(name) + self.output(f"{alias} | length")

    def do_raw(self, depth):
        return self.pick("{% raw %}{{ x }} {% if %}{% endraw %}", "{%- raw -%} {{ y }} {%- endraw -%}", "{# note {{ n }} #}", "{#- tight -#}", "{{ '{{' }} x {{ '}}' }}", "{{ '{%' }}", "{% raw %}{%- endraw %}")

    def do_recursive(self, depth):
        data = self.pick("[[1, [2, [3]]], [4]]", "[1, [2, 3], []]", "ll", "[{'k': 1, 'c': [{'k': 2, 'c': []}]}]")
        if "'k'" in data:
            return self.tag(f"for x in {data} recursive") + self.output("x.k") + "(" + self.output("loop(x.c)") + ")" + self.pick("", self.loop_piece()) + self.tag("endfor")
        return self.tag(f"for x in {data} recursive") + self.tag("if x is iterable") + "<" + self.output("loop(x)") + ">" + self.tag("else") + self.output("x") + self.pick("", self.loop_piece()) + self.tag("endif") + self.tag("endfor")

    def do_users(self, depth):
        return self.pick(
            lambda: "{% for g in users | groupby('age') %}{{ g.grouper }}:{{ g.list | map(attribute='name') | join('+') }};{% endfor %}", lambda: "{% for age, us in users | groupby('age') %}{{ age }}={{ us | length }} {% endfor %}",
            lambda: "{% for u in users | sort(attribute='" + self.pick("name", "age", "age,name") + "') %}{{ u.name }}" + self.loop_piece() + "{% endfor %}", lambda: "{{ users | selectattr('" + self.pick("age", "name", "nope") + "'" + self.pick("", ", 'defined'", ", 'string'") + ") | list | length }}",
            lambda: "{{ (users | " + self.pick("first", "last", "sort(attribute='age') | first", "max(attribute='age')", "min(attribute='age')") + ").name }}", lambda: "{{ users | map('" + self.pick("length", "string", "list", "to_json", "dictsort") + "') | list }}",
            lambda: "{% for u in users if u.age > 26 %}{{ loop.index }}{{ u['name'] }}{% else %}nobody{% endfor %}", lambda: "{{ users | sum(attribute='age') }}/{{ users | length }}",
        )()

    def do_render(self, depth):
        return self.pick(
            lambda: self.output("render('{{ n }}' ~ '{{ s }}')"), lambda: self.output("'{% if t %}y{% else %}n{% endif %}' | render"), lambda: self.output("load_template('row.j2')"), lambda: self.output(f"load_template('row.j2', x={self.of('any', 1)})"), lambda: self.output("load_sha256('inc.j2', 6)"),
            lambda: self.output("load_base64('page.j2', 20)"), lambda: self.output(f"get_var('{self.pick('args.env', 'd.a.x', 'l[0]', 'nope.x', 'users[0].name', 'args.nested.k')}', {self.of('str', 0)})"), lambda: self.output("get_var(['nope', 'args.env'])"),
        )()

    def template(self):
        self.scopes = [[]]
        self.counter = 0
        kind = self.dice.random()
        if kind < 0.25:
            text = self.text() + self.output(self.of("any", 4)) + self.text()
        elif kind < 0.35:
            parent = self.pick("page.j2", "mid.j2", "base.j2")
            names = self.dice.sample(["one", "two"] if parent == "base.j2" else ["head", "body", "item", "extra"], self.dice.randint(1, 2))
            inner = self.pick("", self.tag("set q = 5"), "dropped ")
            for name in names:
                inner += self.tag(f"block {name}" + self.pick("", "", " scoped")) + self.body(1) + self.pick("", "{{ super() }}") + self.tag("endblock" + self.pick("", f" {name}")) + self.text()
            text = f"{{% extends '{parent}' %}}" + inner
        else:
            text = "".join(self.statement(3) for _ in range(self.dice.randint(1, 4)))
        if self.chance(0.08):
            text = self.damage(text)
        return text

    def damage(self, text):
        at, size = self.dice.randrange(len(text) + 1), self.dice.randint(1, 4)
        return self.pick(text[:at] + text[at + size:], text[:at] + self.pick("{{ missing }}", "{%", "}}", "(", "|", " nosuch ", "{{ 1 / 0 }}", "{{ raise('stop') }}", "{{ n | nosuch }}", "{{ 'a' + 1 }}", ".x") + text[at:], text.replace("end", "", 1))


def main():
    grammar = Grammar(SEED)
    environments = {}
    rows, seen = [], set()
    files = {**FILES, **EXTRA_FILES}
    while len(rows) < WANTED:
        text, number = grammar.template(), grammar.dice.choice([0, 0, 1, 2, 3, 4])
        if not 4 < len(text) < 3000 or (text, number) in seen:
            continue
        seen.add((text, number))
        answer = kluctl.answer(lambda: kluctl.environment({**VARS, **CONTEXTS[number]}, files).from_string(text).render())
        if answer[0] is not None and (" at 0x" in answer[0] or "<built-in" in answer[0] or "<bound method" in answer[0] or "<function" in answer[0] or "<Cycler" in answer[0]):
            continue
        rows.append([number, text] + answer)
    rendered = sum(row[2] is not None for row in rows)
    if rendered < len(rows) / 2:
        raise SystemExit(f"only {rendered} of {len(rows)} render")
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    head = f'"vars": {json.dumps(VARS, ensure_ascii=False)},\n"contexts": {json.dumps(CONTEXTS, ensure_ascii=False)},\n"files": {json.dumps(files, ensure_ascii=False)}'
    (HERE / "random.json").write_text(f'{{{head},\n"cases": [\n{lines}\n]}}\n')
    print(len(rows), "random templates,", rendered, "render")


if __name__ == "__main__":
    main()
