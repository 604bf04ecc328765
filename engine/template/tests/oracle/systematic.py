"""The systematic table: constructs of the language x kinds of arguments.

`templates()` yields distinct texts in a fixed order, nothing random. Texts
whose answer holds a memory address are left out by generate.py.
"""
import itertools

import breadth

OPERANDS = ["7", "-2", "0", "2.5", "true", "none", "'ab'", "''", "[1]", "(1, 2)", "{'a': 1}"]
BINARY = ["+", "-", "*", "/", "//", "%", "**", "~", "==", "<", "in"]
BINARY_FEW = ["!=", "<=", ">", ">=", "not in", "and", "or"]
FEW = ["3", "-1.5", "false", "'b'", "[2, 'x']", "nil"]

VALUES = [
    "n", "neg", "2.5", "big", "t", "nil", "s", "''", "u", "ml", "html", "l", "[]", "ll", "(3, 'a')", "d", "ed", "users", "missing", "range(3)",
]

FILTERS = {
    "abs": [""], "attr": ["('b')"], "batch": ["(2)", "(2, fill_with='-')"], "capitalize": [""], "center": ["(9)", "(width=20)"],
    "default": ["(1)", "('z', true)", "(boolean=true, default_value=2)"], "dictsort": ["", "(by='value')", "(reverse=true)"],
    "escape": [""], "filesizeformat": ["", "(binary=true)"], "first": [""], "float": ["", "(1.5)", "(default='x')"],
    "forceescape": [""], "format": ["", "(1)"], "groupby": ["('age')", "(0)"], "indent": ["", "(2, true)", "(width='--', blank=true)", "(first=true)"],
    "int": ["", "(9)", "(base=8)", "(default=none)"], "items": [""], "join": ["", "('-')", "(d=', ', attribute='name')"], "last": [""],
    "length": [""], "list": [""], "lower": [""], "map": ["('string')", "(attribute='name')", "('upper')", "('default', 'x')"],
    "max": ["", "(attribute='age')"], "min": ["", "(case_sensitive=true)"], "pprint": [""], "reject": ["", "('none')", "('gt', 1)"],
    "rejectattr": ["('age')", "('name', 'in', 'bob')"], "replace": ["('l', 'L')", "('l', 'L', 1)", "(old='o', new='0', count=1)"], "reverse": [""],
    "round": ["", "(1)", "(method='ceil')", "(-1, 'floor')"], "safe": [""], "select": ["", "('string')", "('eq', 1)"],
    "selectattr": ["('age')", "('age', '>', 26)"], "slice": ["(2)", "(2, 'x')"], "sort": ["", "(reverse=true)", "(attribute='name')"],
    "string": [""], "striptags": [""], "sum": ["", "(start=10)", "(attribute='age')"], "title": [""], "tojson": ["", "(indent=1)"], "trim": ["", "('h')"],
    "truncate": ["(5)", "(7, true, '..', 0)"], "unique": ["", "(attribute='age')"], "upper": [""], "urlencode": [""], "wordcount": [""],
    "wordwrap": ["(4)", "(6, break_long_words=false)", "(width=5, wrapstring='|')"], "xmlattr": ["", "(false)"], "urlize": [""],
    "to_yaml": [""], "to_json": [""], "from_yaml": [""], "b64encode": [""], "b64decode": [""], "sha256": ["", "(5)"],
}
LAZY = {"batch", "items", "map", "reject", "rejectattr", "reverse", "select", "selectattr", "slice", "unique"}

TESTS = [
    "boolean", "callable", "defined", "divisibleby 2", "eq 7", "escaped", "even", "false", "float", "ge 2", "gt('a')", "in [7, 'hello world']",
    "in 'ab'", "integer", "iterable", "le 7", "lower", "lt 3", "mapping", "ne none", "none", "number", "odd", "sameas none", "sequence",
    "string", "true", "undefined", "upper", "filter", "test",
]

TEXTS = ["'Hello World'", "''", "'a1 B2\\tc\\n'", "'éß x'", "'-12'"]
TEXT_CALLS = [
    "capitalize()", "casefold()", "center(15, '*')", "count('l')", "count('')", "endswith('d')", "endswith('o', 0, 5)", "expandtabs()", "expandtabs(4)",
    "find('o')", "find('o', 5)", "find('')", "index('l')", "isalnum()", "isalpha()", "isascii()", "isdecimal()", "isdigit()", "isidentifier()",
    "islower()", "isnumeric()", "isprintable()", "isspace()", "istitle()", "isupper()", "join(['1', '2'])", "join([])", "ljust(14, '.')", "lower()",
    "lstrip('H-')", "partition(' ')", "removeprefix('He')", "removesuffix('ld')", "replace('l', '_')", "replace('', '.')", "replace('l', 'L', -1)",
    "rfind('o')", "rfind('o', 0, 5)", "rindex('o')", "rjust(14)", "rpartition('o')", "rsplit()", "rsplit('o', 1)", "rsplit(None, 1)", "rstrip('d\\n')",
    "split()", "split('l')", "split(' ', 1)", "split(none, 1)", "split(sep='o', maxsplit=1)", "split('')", "splitlines()", "splitlines(true)",
    "startswith('H')", "startswith(('x', 'H'))", "startswith('e', 1)", "strip()", "strip('Hd')", "swapcase()", "title()", "upper()", "zfill(6)",
    "encode()", "lower(1)", "center()", "split(1)", "find()", "join(5)", "zfill('a')", "startswith(1)", "ljust(3, 'ab')", "nosuch", "nosuch()",
]

LISTS = ["[3, 1, 2]", "['b', 'a']", "[]", "[[1], none]"]
LIST_CALLS = [
    "append(9)", "extend([8, 9])", "extend('xy')", "extend(5)", "insert(1, 'n')", "insert(-1, 'n')", "insert(99, 0)", "remove(1)", "pop()", "pop(0)",
    "pop(-2)", "pop('a')", "index(2)", "index('a')", "count(1)", "sort()", "sort(reverse=true)", "reverse()", "copy()", "clear()", "append()",
    "append(1, 2)", "sort(1)", "nosuch()", "insert(1)", "index(1, 2)", "count()",
]
DICTS = ["{'a': 1, 'b': [2]}", "{}", "{1: 'x', none: 2}"]
DICT_CALLS = [
    "get('a')", "get('z')", "get('z', 5)", "get(1)", "get()", "get([])", "keys()", "values()", "items()", "copy()", "update({'c': 3})", "update(c=3)",
    "update([('k', 'v')])", "update({'a': 0}, b=1)", "update(none)", "update(5)", "update()", "pop('a')", "pop('z')", "pop('z', none)", "pop()",
    "popitem()", "setdefault('a', 7)", "setdefault('q')", "setdefault('q', [])", "clear()", "nosuch()", "fromkeys(['a'])", "keys() | list",
    "items() | sort | list", "values() | list | length",
]
TUPLE_CALLS = ["count(1)", "index(2)", "index(9)", "append(1)", "count()"]
NUMBER_CALLS = ["bit_length()", "upper()", "nosuch"]

NESTED = [
    "[1, 'a', None, True, 1.0]", "['it\\'s']", "['a\"b']", "['it\\'s \"x\"']", "['\\n\\t\\\\']", "['é✓']", "['\\x00\\x7f']", "[(1,), ()]", "{'k': (1, 2)}",
    "{'a': {'b': [{'c': none}]}}", "[1e16, 1e-5, -0.0, 1e100]", "{1: 2, 'x': 1.5, none: true}", "{1: 'a', true: 'b'}", "{1.0: 'a', 1: 'b'}",
    "{true: 1}", "{(1, 2): 'pair'}", "{[1]: 2}", "{'a': 1, 'a': 2}", "[range(2)]", "[[[]], {}, ()]", "(none, false)", "1, 'a'", "d.items()", "d.keys()",
    "[d.keys()]", "dict(a=[1], b='x')", "[s, u, q]", "[big, small, f]", "namespace(a=1, b='x')", "[none] * 2", "{'x': 'a'} == {'x': 'a'}", "[true, 1] | unique | list",
    "'\\u00a0x'", "['\\u00a0', '\\u200b', '\\u2028']", "['😀']", "[html]", "[html | e]", "[html | safe]", "'%s' % [['a', 1.0]]", "[1, 2] | string ~ 'x'", "users", "args",
    "users | first", "args.nested", "d | items | list", "l | sort", "ls | sort | string", "users | groupby('age')", "users | groupby('age') | list", "(users | groupby('age'))[0]",
]

SPACE_LEFT = ["a \n ", "a\t", "\n\n", ""]
SPACE_RIGHT = [" \n b", "\tb", "\n\n", ""]
SPACE_TAGS = [("{{", "}}", " n "), ("{%", "%}", " if t "), ("{#", "#}", " note "), ("{%", "%}", " set z = 1 ")]

SEQUENCES = ["l", "[]", "'abc'", "d", "d.items()", "(1, 2)", "range(2, 8, 3)", "nil", "5", "missing", "users", "ll", "d.values()", "ls | reverse", "l | map('string')"]
LOOPS = [
    "{{% for x in {0} %}}{{{{ x }}}};{{% else %}}empty{{% endfor %}}",
    "{{% for x in {0} %}}{{{{ loop.index }}}}/{{{{ loop.length }}}}{{{{ loop.last }}}} {{% endfor %}}",
    "{{% for x in {0} if loop.index %}}{{{{ x }}}}{{% endfor %}}",
    "{{% for x in {0} if x %}}{{{{ x }}}},{{% else %}}E{{% endfor %}}",
    "{{% for a, b in {0} %}}{{{{ a }}}}={{{{ b }}}} {{% endfor %}}",
    "{{% for x in {0} %}}{{% if loop.first %}}{{% continue %}}{{% endif %}}{{{{ x }}}}{{% break %}}{{% else %}}E{{% endfor %}}",
    "{{% for x in {0} %}}{{{{ loop.revindex }}}}{{{{ loop.cycle('o', 'e') }}}}{{{{ loop.previtem is defined }}}}{{{{ loop.nextitem is defined }}}} {{% endfor %}}",
    "{{% set x = {0} %}}{{% for y in x %}}{{% set x = y %}}{{{{ x }}}}{{% endfor %}}{{{{ x }}}}",
]

SIGNATURES = ["", "a", "a, b", "a, b=2", "a=1, b=a", "a=missing", "a, b=l", "a=1, b"]
BODIES = ["{{ a }}|{{ b }}", "{{ a }}{{ varargs }}", "{{ a }}{{ kwargs }}", "{{ caller is defined }}{{ varargs }}{{ kwargs }}", "{% set a = 9 %}{{ a }}"]
CALLS = ["", "1", "1, 2", "1, 2, 3", "b=5", "1, b=5", "a=1, z=3", "1, a=2", "*[1, 2]", "**{'a': 4}", "1, **{'b': 7}"]

FILES = ["'inc.j2'", "'loopvar.j2'", "'macros.j2'", "'base.j2'", "'bad.j2'", "'nope.j2'", "['nope.j2', 'inc.j2']", "[]", "missing", "nil", "5", "('nope.j2', 'macros.j2')"]
INCLUDES = [
    "{{% include {0} %}}|", "{{% include {0} ignore missing %}}|", "{{% include {0} without context %}}|", "{{% include {0} ignore missing without context %}}|",
    "{{% for i in l %}}{{% include {0} %}}{{% endfor %}}", "{{% set i = 'I' %}}{{% include {0} with context %}}", "{{% with i = 1, s = 'other' %}}{{% include {0} %}}{{% endwith %}}",
    "{{% macro mac(i) %}}{{% include {0} %}}{{% endmacro %}}{{{{ mac(4) }}}}", "{{% import {0} as lib %}}{{{{ lib.exported }}}}", "{{% from {0} import m %}}{{{{ m(1) }}}}",
    "{{% set i = 3 %}}{{% import {0} as lib with context %}}{{{{ lib.m('x') }}}}", "{{% extends {0} %}}",
]
PARENTS = [
    "{% block one %}1{% endblock %}", "{% block two %}2{{ super() }}{% endblock %}", "{% set v = 1 %}{% block one %}{{ v }}{% endblock %}",
    "{% macro w() %}W{% endmacro %}{% block one %}{{ w() }}{% endblock %}", "{% block one %}{{ self.two() }}{% endblock %}{% block two %}T{% endblock %}",
    "{% block one %}{% for i in l %}{{ i }}{{ super() }}{% endfor %}{% endblock %}", "{% block other %}x{% endblock %}", "x{% if t %}y{% endif %}",
    "{% block one %}{% include 'inc.j2' %}{% endblock %}", "{% block one %}{% block inner %}in{% endblock %}{% endblock %}", "{% import 'macros.j2' as k %}{% block one %}{{ k.m(1) }}{% endblock %}",
    "{% block one %}{{ super.super() }}{% endblock %}", "{% block one %}{{ missing }}{% endblock %}", "{% block one %}{% endblock one %}", "{% block one %}{% endblock two %}",
    "{% block one required %}{% endblock %}", "{% block one %}{% set q = 1 %}{% endblock %}{% block two %}{{ q }}{% endblock %}", "{% from 'macros.j2' import m %}{% block two %}{{ m(2) }}{% endblock %}",
]

UNDEFINED = ["missing", "d.nope", "d['nope']", "l[9]", "s.nope", "n.nope", "nil.nope", "users[0].nope", "args.nested.nope", "missing.x", "d.nope.x", "f.nope", "t.nope", "range(3).nope", "(1, 2)[5]", "[].x", "{}.x", "'a'.x", "ed['k']", "l['k']", "users['k']", "ll[0][7]", "args['z z']", "(l | first).x"]
UNDEFINED_USES = ["{{{{ {0} }}}}", "{{{{ {0} ~ '' }}}}", "{{{{ {0} + 1 }}}}", "{{{{ {0}.deep }}}}", "{{{{ {0}() }}}}", "{{{{ {0} | upper }}}}", "{{{{ {0} | default('D') }}}}", "{{{{ {0} is defined }}}}", "{{% if {0} %}}y{{% endif %}}", "{{% for x in {0} %}}{{% endfor %}}", "{{{{ {0} | default(missing2) }}}}", "{{{{ [{0}] | length }}}}", "{{{{ {0} == 1 }}}}"]

INDEXES = ["0", "-1", "9", "'a'", "none", "1.0", "true", "1:", ":-1", "::-1", "::2", "-2:", "5:1:-2", ":", "::0", "'a':", "none:none"]
INDEXED = ["l", "s", "u", "(1, 2, 3)", "d", "[]", "''", "range(5)", "nil", "n"]

FORMATS = ["%s", "%r", "%d", "%i", "%5d", "%-5d|", "%05d", "%+d", "% d", "%x", "%#x", "%X", "%o", "%f", "%.2f", "%8.3f", "%e", "%.1e", "%g", "%c", "%5s|", "%-5s|", "%.2s", "%%", "%a", "%q", "%"]
FORMATTED = ["7", "-7", "2.5", "true", "none", "'ab'", "'7'", "[1]", "(7,)", "()", "(1, 2)", "{'a': 1}"]
BRACES = ["{}", "{0}", "{:5}|", "{:<5}|", "{:^7}|", "{:*>6}", "{:d}", "{:05d}", "{:+}", "{:x}", "{:,}", "{:.2f}", "{:e}", "{:%}", "{!r}", "{!s:>5}", "{a}", "{0[0]}", "{{}}", "{"]

GLOBALS = [
    "range(3)", "range(1, 5) | list", "range(5, 1, -2) | list", "range(1, 5, 0)", "range()", "range(1.5)", "range('3')", "range(-2) | list", "dict(a=1, b=2)", "dict([['a', 1]])", "dict([1])", "dict(5)", "dict(d, z=1)",
    "namespace(a=1).b", "namespace(5)", "lipsum is defined", "cycler() ", "cycler(1, 2).next()", "joiner()()", "loop", "self", "super()", "varargs", "caller()", "merge_dict({}, {'a': {'b': 1}})", "merge_dict(d, {'a': {'z': 2}})",
    "merge_dict(d, {'a': 5})", "merge_dict({'a': 5}, {'a': {'x': 1}})", "merge_dict(5, {})", "merge_dict({}, 5)", "merge_dict({'a': none}, {'a': {'x': 1}})", "raise('a ' ~ n)", "raise()", "update_dict({}, {})",
]

EXPRESSIONS = [
    "1 if t", "(1 if no) ~ 'x'", "1 if no else 2 if no else 3", "not t and no", "not (t and no)", "1 < 2 > 0", "1 == 1 == true", "n in l and n", "-n ** 2", "2 ** -n", "-n | abs", "(-n) | abs", "n | abs ** 2", "1 + 2 * 3 - 4 / 2", "7 // 2 * 2 + 7 % 2",
    "'a' ~ 'b' * 2", "1 ~ 2 + 3", "[1, 2] + [3] * 2", "'a' if 'a' in s else 'b'", "l[0] + l[-1]", "l | sum * 2", "l | length - 1", "n is odd and n > 3", "n is not even", "not n is even", "n is divisibleby 7 and t", "n is in l or true", "x is defined and x.y", "d.a.x | upper ~ '!'",
    "'%s' % n ~ 'x'", "'%s' | format(n)", "s.split()[0] | upper", "(s | upper).split()", "d.items() | list | first | last", "[n, [n, [n]]][1][1][0]", "{'a': {'b': n}}.a.b", "{'a': {'b': n}}['a']['b']", "s[0:5] ~ s[-5:]", "1_000 + 0x10 + 0o17 + 0b11", "1e3 | int", "1.5e-3", "010", "1.", ".5", "0b2",
    "'\\x41\\101\\u00e9\\N{BULLET}'", "'\\q'", "'a\\\nb'", "\"a'b\"", "'a' 'b' \"c\"", "true is true", "True", "None", "False == 0", "n.0", "l.0.1", "d.", "l[", "l[]", "(", "()", "n n", "n |", "n is", "| upper", "n if", "[1, , 2]", "{1}", "{'a' 1}", "{'a': 1, **d}", "*l", "l.append", "s.upper", "range", "namespace", "d.items", "lambda x: x", "n = 1", "n := 1", "a.b()", "s | upper()", "s | upper | ", "s.upper().lower().title()", "n //", "n ** ** 2", "n <> 1", "!n", "n && t", "n ? 1 : 2", "n++", "@n", "$n", "`n`", "n;", "not", "1 not 2", "1 is not", "in l",
]
STATEMENTS = [
    "{% set %}", "{% set a %}", "{% set a = %}", "{% set 1 = 2 %}", "{% set a.b = 1 %}", "{% set a, b = 1 %}", "{% set a, b = l %}", "{% set (a, b) = (1, 2) %}{{ a }}", "{% set a = b = 1 %}", "{% set none = 1 %}", "{% set a | upper %}x", "{% if n = 1 %}{% endif %}", "{% if t %}", "{% if t %}{% else %}{% else %}{% endif %}", "{% elif t %}", "{% else %}", "{% for x %}{% endfor %}", "{% for x in %}{% endfor %}",
    "{% for 1 in l %}{% endfor %}", "{% for x in l %}{% endif %}", "{% for x in l, %}{{ x }}{% endfor %}", "{% for x in l recursive %}{% endfor %}ok", "{% for x, in [[1]] %}{{ x }}{% endfor %}", "{% for loop in l %}{% endfor %}", "{% for x.y in l %}{% endfor %}", "{% break %}", "{% continue %}", "{% macro %}{% endmacro %}", "{% macro m %}{% endmacro %}", "{% macro m(a, a) %}{% endmacro %}{{ m(1) }}", "{% macro m(1) %}{% endmacro %}", "{% macro m() %}{% endmacro m %}{{ m() }}",
    "{% call %}{% endcall %}", "{% call n %}{% endcall %}", "{% filter %}{% endfilter %}", "{% filter nosuch %}{% endfilter %}", "{% filter indent(2) %}a\nb{% endfilter %}", "{% filter upper | lower %}Ab{% endfilter %}", "{% include %}", "{% import 'macros.j2' %}", "{% from 'macros.j2' import %}", "{% from 'macros.j2' import _private %}", "{% extends %}", "{% block %}{% endblock %}", "{% block a.b %}{% endblock %}", "{% with a %}{% endwith %}", "{% with a=1 %}{{ a }}", "{% raw %}x", "{% endraw %}", "{# open", "{{ 'open }}", "{% unknown %}", "{% debug %}", "{% autoescape %}{% endautoescape %}", "{% autoescape t %}{{ html }}{{ html | safe }}{% endautoescape %}", "{% autoescape false %}{{ html }}{% endautoescape %}", "{%%}", "{{}}", "{{ }}", "{% %}", "{##}", "}}", "%}", "#}", "{ {", "{{{{ n }}}}", "{{ {} }}", "{{ {'a': {}} }}", "{{{'a': 1}}}", "{%+ if t %}x{%+ endif %}", "{{+ n +}}", "{%- raw -%} {{ x }} {%- endraw -%}", "a\r\nb{{ n }}\r\n", "\ufeff{{ n }}", "{{ n }}\n", "{{ n }}\n\n", "", " ", "{{ n -}}\n\n{{ n }}", "# n\n## x\n{{ n }}", "{% set x -%}  a  {%- endset %}[{{ x }}]", "{% set x | trim | upper %}  a  {% endset %}[{{ x }}]", "{% set ns = namespace(l=[]) %}{% for i in l %}{% set _ = ns.l.append(i) %}{% endfor %}{{ ns.l }}",
    "{% macro t(x) %}{{ x }}{% if x > 0 %}{{ t(x - 1) }}{% endif %}{% endmacro %}{{ t(3) }}", "{% macro c(x) %}[{{ caller(x) }}]{% endmacro %}{% call(y) c(4) %}{{ y * 2 }}{% endcall %}", "{% macro c() %}{{ caller() }}{{ caller() }}{% endmacro %}{% for i in l %}{% call c() %}{{ i }}{% endcall %}{% endfor %}", "{% macro c() %}x{% endmacro %}{% call c() %}y{% endcall %}", "{% macro a() %}{{ caller() }}{% endmacro %}{% macro b() %}{% call a() %}<{{ caller() }}>{% endcall %}{% endmacro %}{% call b() %}z{% endcall %}",
    "{% macro m(a, b=1) %}{% endmacro %}{{ m.name }}{{ m.arguments }}{{ m.catch_kwargs }}{{ m.catch_varargs }}{{ m.caller }}", "{% macro m() %}{{ kwargs }}{{ varargs }}{{ caller() }}{% endmacro %}{{ m.arguments }}{{ m.catch_kwargs }}{{ m.catch_varargs }}{{ m.caller }}", "{% macro m(x) %}{{ x }}{% endmacro %}{{ m.nope }}", "{% macro m(x) %}{{ x }}{% endmacro %}{{ l | map('string') | map('upper') | join }}{{ m is callable }}", "{% set f = range %}{{ f(2) | list }}", "{% macro m(x) %}{{ x }}{% endmacro %}{% set k = {'f': m} %}{{ k.f(3) }}{{ [m][0](4) }}", "{% macro m(x) %}a{% endmacro %}{{ m(1) | upper }}{{ m(1) ~ 'b' }}{{ m(1) | length }}{{ m(1) == 'a' }}{{ m(1) in ['a'] }}",
    "{% for i in [1, 2] %}{% for j in [3, 4] %}{{ loop.depth }}{{ loop.index }}{% endfor %}{{ loop.index }}{% endfor %}", "{% for i in [1, 2] %}{% set outer = loop %}{% for j in [3] %}{{ outer.index }}{% endfor %}{% endfor %}", "{% for x in [[1, [2]], [3]] recursive %}{% if x is iterable %}<{{ loop(x) }}>{% else %}{{ x }}:{{ loop.depth }}{% endif %}{% endfor %}", "{% for i in l %}{{ loop }}{% endfor %}", "{% for i in l %}{{ loop.nope }}{% endfor %}", "{% for i in [1, 1, 2] %}{{ loop.changed(i) }}{% endfor %}", "{% for k, v in {'a': {'b': 1}}.items() recursive %}{{ k }}{% if v is mapping %}.{{ loop(v.items()) }}{% else %}={{ v }}{% endif %}{% endfor %}", "{% for (a, b), c in [((1, 2), 3)] %}{{ a + b + c }}{% endfor %}", "{% for i in range(3) %}{% if i == 1 %}{% set z = i %}{% endif %}{{ z is defined }}{% endfor %}",
]


EARLY_EXITS = [
    "{% for x in l %}{% continue %}{% else %}none{% endfor %}", "{% for x in l %}{% break %}{% else %}none{% endfor %}", "{% for x in l %}{% if x == 1 %}{% break %}{% else %}{{ x }}{% endif %}{% else %}none{% endfor %}",
    "{% for x in l %}{% if x > 9 %}{{ x }}{% else %}{% continue %}{% endif %}{% else %}none{% endfor %}", "{% for x in [] %}{% continue %}{% else %}none{% endfor %}",
    "{% for x in l -%} \n {%- if x > 9 %}{% continue %}{% endif %} {{ x }} {%- else -%} \n none \n {%- endfor -%} \n end", "{% for x in l -%} \n {%- if x < 9 %}{% continue %}{% endif %} {{ x }} {%- else -%} \n none \n {%- endfor -%} \n end",
    "{% for a in ll %}{% for b in a %}{% if b > 2 %}{% continue %}{% endif %}{{ b }}{% else %}in{% endfor %}{% else %}out{% endfor %}", "{% for a in ll %}{% for b in a %}{% continue %}{% else %}in{% endfor %}{% continue %}{% else %}out{% endfor %}",
    "{% for a in ll %}{% for b in a %}{% continue %}{% endfor %}{% else %}out{% endfor %}", "{% macro m(v) %}{% for x in v %}{% if x < 2 %}{% continue %}{% endif %}{{ x }}{% else %}none{% endfor %}{% endmacro %}{{ m(l) }}{{ m([1]) }}{{ m([]) }}",
    "{% for x in l %}{% if x == 2 %}{% continue %}{% endif %}{{ loop.index }}{% else %}{{ missing }}{% endfor %}", "{% for x in l %}{% continue %}{% else %}{{ x }}{% endfor %}", "{% for x in l %}{% if x > 1 %}{% continue %}{% endif %}{{ missing }}{% else %}e{% endfor %}",
    "{% set namespace = 'ns' %}{% for x in l %}{% continue %}{% else %}{{ namespace }}{% endfor %}", "{% for x in l if x > 1 %}{% continue %}{{ x }}{% else %}none{% endfor %}", "{% block b %}{% for x in l %}{% break %}{% else %}none{% endfor %}{% endblock %}",
    "{% for x in l recursive %}{{ x }}{% if loop.last %}{% break %}{% endif %}{% else %}none{% endfor %}",
]


def binary():
    for operator, left, right in itertools.product(BINARY, OPERANDS, OPERANDS):
        yield f"{{{{ {left} {operator} {right} }}}}"
    for operator, left, right in itertools.product(BINARY_FEW, FEW, FEW):
        yield f"{{{{ {left} {operator} {right} }}}}"


def filters():
    for name, argument_lists in FILTERS.items():
        for arguments, value in itertools.product(argument_lists, VALUES):
            yield f"{{{{ {value} | {name}{arguments}{' | list' if name in LAZY else ''} }}}}"


def calls(values, methods):
    for value, method in itertools.product(values, methods):
        yield f"{{% set v = {value} %}}{{{{ v.{method} }}}} {{{{ v }}}}"


def whitespace():
    marks = ["", "-"]
    for left, right, (opening, closing, inner) in itertools.product(SPACE_LEFT, SPACE_RIGHT, SPACE_TAGS):
        for before, after in itertools.product(marks, marks):
            end = "{% endif %}" if inner == " if t " else ""
            yield f"{left}{opening}{before}{inner}{after}{closing}{right}{end}"


def filled(shapes, values):
    for shape, value in itertools.product(shapes, values):
        yield shape.format(value)


def macros():
    for signature, body, arguments in itertools.product(SIGNATURES, BODIES, CALLS):
        yield f"{{% macro m({signature}) %}}{body}{{% endmacro %}}{{{{ m({arguments}) }}}}"


def everything():
    yield from binary()
    yield from filters()
    yield from (f"{{{{ {value} is {test} }}}}" for test, value in itertools.product(TESTS, VALUES))
    yield from calls(TEXTS, TEXT_CALLS)
    yield from calls(LISTS, LIST_CALLS)
    yield from calls(DICTS, DICT_CALLS)
    yield from calls(["(1, 2, 1)"], TUPLE_CALLS)
    yield from calls(["7", "2.5", "true", "none"], NUMBER_CALLS)
    yield from (f"{{{{ {value} }}}}" for value in NESTED + GLOBALS + EXPRESSIONS)
    yield from (f"{{{{ {value} | {name} }}}}" for value, name in itertools.product(NESTED, ["to_yaml", "to_json", "tojson"]))
    yield from (f"{{{{ {value}[{index}] }}}}" for value, index in itertools.product(INDEXED, INDEXES))
    yield from (f"{{{{ '{text}' % {value} }}}}" for text, value in itertools.product(FORMATS, FORMATTED))
    yield from (f"{{{{ '{text}'.format({value}) }}}}" for text, value in itertools.product(BRACES, ["7", "'ab'", "-2.5", "[1]", "a=none", ""]))
    yield from whitespace()
    yield from filled(LOOPS, SEQUENCES)
    yield from macros()
    yield from filled(INCLUDES, FILES)
    yield from (f"{{% extends 'base.j2' %}}{block}" for block in PARENTS)
    yield from PARENTS
    yield from filled(UNDEFINED_USES, UNDEFINED)
    yield from STATEMENTS
    yield from EARLY_EXITS
    yield from breadth.templates()


def templates():
    return list(dict.fromkeys(everything()))
