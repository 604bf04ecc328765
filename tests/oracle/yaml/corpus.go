package main

import (
	"fmt"
	"strings"
)

// scalarTexts are plain texts around every border of the resolvers.
func scalarTexts() []string {
	texts := []string{
		"y", "Y", "n", "N", "yes", "Yes", "YES", "yEs", "no", "No", "NO", "on", "On", "ON", "off", "Off", "OFF", "oFF",
		"true", "True", "TRUE", "tRUE", "false", "False", "FALSE", "null", "Null", "NULL", "nULL", "~", "~~",
		"0", "-0", "+0", "00", "1", "-1", "+1", "007", "08", "09", "0777", "-0777", "+0777", "0o17", "0O17", "-0o17", "0o8", "0o",
		"0x1F", "0X1f", "0x", "0xg", "-0x1F", "+0x1F", "0b11", "0B11", "-0b11", "+0b11", "0b2", "0b", "0b+1", "0b-1", "0o+1", "0o-1", "-0b+1",
		"1_000", "1__0", "_1", "1_", "-1_0", "0x_1F", "0_7", "0b1_1", "1_000.5", "._5", ".5_0",
		"9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809", "18446744073709551615",
		"18446744073709551616", "+9223372036854775808", "123456789012345678901", "0xFFFFFFFFFFFFFFFF", "0xFFFFFFFFFFFFFFFFF", "0x8000000000000000",
		"1.0", "1.50", "-1.5", "+1.5", "1.", ".5", "-.5", "+.5", ".", "..", "...x", "-.", "+.", "1e3", "1E3", "1e+3", "1e-3", "1.e3", ".5e3", "1e", "1e+", "e3", "-e3",
		"1e999", "-1e999", ".1e999", "1e-999", "12e03", "1.5e-7", "-1.5e10", "1e21", "1e20", "123456.5", "1234567.5", "0.1", "0.0001", "0.00001", "-0.0", "1.7976931348623157e308",
		"9007199254740993", "9007199254740993.0", "100000000000000000000.0",
		".inf", ".Inf", ".INF", "-.inf", "+.Inf", ".iNF", ".nan", ".NaN", ".NAN", "-.nan", "+.nan", "inf", "nan", "Infinity",
		"12:30", "12:30:45", "1:60", "190:20:30.15", "-1:30", "1:2:3:4", "12:30:45_",
		"2024-01-02", "2024-1-2", "2024-13-01", "2024-02-30", "2024-02-29", "2023-02-29", "2024-01-02T03:04:05Z", "2024-01-02t3:4:5Z",
		"2024-01-02T03:04:05", "2024-01-02T03:04:05+02:00", "2024-01-02T03:04:05-00:00", "2024-01-02T03:04:05.120Z", "2024-01-02 03:04:05",
		"2024-01-02 03:04:05.5", "2024-01-02 03:04:05Z", "2024-01-02 25:00:00", "2024-01-02 03:04:60", "2001-12-14 21:59:43.10 -5", "2024-01-02 03:04",
		"2024-01-02T03:04:05.123456789123Z", "2024-01-02 03:04:05,5", "0000-01-01", "9999-12-31", "20240-01-02", "2024-01-02T24:00:00Z", "2024-01-02T03:04:05+24:00",
		"2024-01-02T03:04:05+02:60", "2024-01-2", "2024-01-002", "2024-0-1", "2024-1-0",
		"=", "<<x", "-", "+", "--", "++1", "--1", "+-1", "1-1", "1+1", "1.2.3", "v1.2", "10.0.0.1", "10.0.0.1/8", "a", "nope", "yesno", "online", "trueish", "nullx",
		"٣", "é", "0é", "1 2", "0 1", "true false", "2024-01-02 x",
	}
	return texts
}

func scalarCorpus() []string {
	texts := scalarTexts()
	for _, text := range []string{"1", "01", "0x1", "1.5", "true", "yes", "null", "~", "2024-01-02", "x", "1e3", "-1"} {
		texts = append(texts, `"`+text+`"`, "'"+text+"'")
		for _, tag := range []string{"!!str", "!!int", "!!float", "!!bool", "!!null", "!local", "!"} {
			texts = append(texts, tag+" "+text)
		}
		texts = append(texts, `!!int "`+text+`"`, `!!bool "`+text+`"`)
	}
	texts = append(texts, "!!binary aGVsbG8=", "!!binary '!'", "!!timestamp 2024-01-02", "!!timestamp x", `""`, `''`)
	return texts
}

func documentCorpus() []string {
	return []string{
		"", "\n", "---\n", "---\n---\na: 1\n", "# only a comment\n", "a\n", "- a\n- b\n", "a:\n- 1\n- 2\n", "a:\n  - 1\n", "{a: 1, b: [x, y]}\n",
		"a: &x 1\nb: *x\n", "a: &x {k: v}\nb: *x\n", "a: *x\n", "a: &x [1]\na2: &x [2]\nb: *x\n", "a: &x [*x]\n", "&k a: 1\nb: *k\n",
		"a: &x {k: v}\nb: {<<: *x, l: 1}\n", "a: &x {k: v}\nb: {<<: *x, k: w}\n", "a: &x {k: v}\nb: {k: w, <<: *x}\n",
		"a: &x {k: 1}\nb: &y {k: 2, l: 2}\nc:\n  <<: [*x, *y]\n  m: 3\n", "a: &x {k: 1}\nb: &y {k: 2, l: 2}\nc:\n  <<: [*y, *x]\n",
		"<<: {a: 1}\nb: 2\n", "<<: [{a: 1}, {a: 2}]\n", "<<: 1\n", "<<: [1]\n", "<<: [[{a: 1}]]\n", "\"<<\": {a: 1}\n", "'<<': 1\n", "a: <<\n", "- <<\n", "!!merge <<: {a: 1}\n",
		"a: &x {k: 1}\nb: &y {<<: *x, l: 2}\nc: {<<: *y, m: 3}\n", "<<: {}\n", "<<: null\n",
		"a: 1\na: 2\n", "a: 1\n\"a\": 2\n", "x:\n  b: 1\n  c: 2\n  b: 3\n", "{a: 1, a: 2}\n", "- a: 1\n  a: 2\n",
		"yes: 1\n", "true: 1\nfalse: 2\n", "on: push\n", "y: 1\nn: 2\n", "1: a\n", "1.5: a\n", "0.1: a\n", "1e3: a\n", "0x10: a\n", "010: a\n", "1000000.0: a\n", "123456789.0: x\n", "null: a\n", "~: a\n", "? : a\n", ": a\n", "2024-01-02: a\n",
		"? [a]\n: b\n", "? {a: 1}\n: b\n", "? a\n: b\n", "? |\n  a\n  b\n: c\n", "-1: a\n", "18446744073709551615: a\n", ".inf: a\n",
		"a: |\n  x\n  y\n", "a: |-\n  x\n", "a: |+\n  x\n\n", "a: >\n  x\n  y\n\n  z\n", "a: >-\n  x\n   y\n  z\n", "a: |2\n   x\n", "a: |\n\n  x\n",
		"a: 'it''s'\n", "a: \"\\u00e9\\n\\x41\\/\"\n", "a: \"x\n  y\"\n", "a: 'x\n\n  y'\n", "a: x\n  y\n", "a: \"x\\\n  y\"\n",
		"a: [1, [2, {b: 3}], ]\n", "a: {b, c: }\n", "a: [b: 1]\n", "a:\n", "a: ~\n", "- \n- a\n", "- - 1\n  - 2\n- - 3\n",
		"a: b: c\n", "a: [1\n", "a: {b\n", "a: 'x\n", "a: \"x\n", "\ta: 1\n", "a:\n\tb: 1\n", "a: 1\n b: 2\n", "- a\nb: 1\n", "a: @x\n", "a: `x`\n", "a: %x\n", "a: *\n", "a: &\n", "a: !!int x\n", "a: \"\\z\"\n", "]\n", "}\n", "a: ]\n", "key\nother: 1\n", "a: |x\n  y\n", "%FOO\n---\na: 1\n", "%YAML 1.1\n---\na: 1\n", "a: 1\n...\nb: 2\n", "--- a\n", "--- |\n  x\n", "a: - b\n",
		"a: \x01\n", "a: \u0085b\n", "a: \u2028b\n", "a: é\n", "a: 😀\n", "a: \"😀\"\n", "\ufeffa: 1\n", "a: 1\r\nb: 2\r\n", "a: |\r\n  x\r\n  y\r\n", "a: x #c\n", "a: x#c\n", "a: #c\n", "a: 'x' #c\n",
		"a: http://x/y?z=1#f\n", "a: b:c\n", "a:b: c\n", "a : 1\n", "\"a\":1\n", "{\"a\":1}\n", "{a:1}\n", "[a,b]\n", "a: -\n", "a: -b\n", "a: ?b\n", "a: :b\n", "a: {{ x }}\n", "a: [{x: 1}, y]\n",
		"a: .inf\n", "a: -.inf\n", "a: .nan\n", "a: !!float 1\n", "a: !!set {x, y}\n", "a: !!omap [x: 1]\n", "a: !foo {x: 1}\n", "a: !foo [1]\n",
		"a: !!map {x: 1}\n", "a: !!seq [1]\n", "a: !!str\n", "a: !!null\n", "a: !!binary aGVs\n  bG8=\n",
		laughs(4), laughs(9),
	}
}

// laughs is a document in which every level has ten times the one before.
func laughs(levels int) string {
	var text strings.Builder
	text.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for level := 1; level < levels; level++ {
		alias := fmt.Sprintf("*a%d", level-1)
		fmt.Fprintf(&text, "a%d: &a%d [%s]\n", level, level, strings.TrimSuffix(strings.Repeat(alias+", ", 10), ", "))
	}
	return text.String()
}

func valueCorpus() []any {
	var values []any
	for _, text := range append(scalarTexts(), stringCorpus()...) {
		values = append(values, map[string]any{"k": text})
	}
	for _, text := range stringCorpus() {
		values = append(values, text, []any{text, []any{text}}, map[string]any{text: 1}, map[string]any{"a": []any{map[string]any{text: text}}})
	}
	for _, number := range []any{
		0, 1, -1, 255, 1 << 40, int64(9223372036854775807), int64(-9223372036854775808), uint64(18446744073709551615),
		0.5, 1.5, -1.5, 1000.0, 1e3, 1e20, 1e21, 1e22, 123456.5, 1234567.5, 999999.5, 100000.5, 0.1, 0.0001, 0.00001, 0.000123, 1.5e-7, 1e-7, 1e-6, -1.5e10, 1e300, 5e-324,
		1.7976931348623157e308, 9007199254740993.0, 12345678901234567890.0, 123456789012345678901.0, 3.141592653589793, 1.0 / 3, 2.5e15, 1e15 + 0.5, true, false, nil,
	} {
		values = append(values, map[string]any{"k": number}, []any{number}, number)
	}
	return append(values, structures()...)
}

func stringCorpus() []string {
	texts := []string{
		"", " ", "  ", "\n", "\n\n", "a\n", "a\n\n", "a\n\n\n", "\na", "\n\na", " \n", "\n ", " a", "a ", " a\n", "a \n", "a \nb", "a\n b", "a\n b\n", "a\n\nb", "a\nb ", "a\n  ", "  a\n b", "a\n\tb", "\ta", "a\t", "\t", "a\tb",
		"a\rb", "a\r\nb", "\r", "a\u0085b", "\u00a0", "a\u00a0b", "\ufeff", "a\ufeffb", "é", "é ☃", "☃\nx", "😀", "a 😀 b", "😀\nx", "\u0000", "\u0001", "\u001b[0m", "\u007f", "\u0080", "\u009f", "\ud7ff", "\ue000", "\ufffd", "\uffff",
		"#", "#a", "a#", "a #", "a # b", "a#b", "-", "- ", "- a", "-a", "--", "---", "--- a", "---a", "...", "... a", "...a", "?", "? a", "?a", ":", ": a", ":a", "a:", "a: b", "a:b", "a :b", "a:\tb",
		",", ",a", "a,b", "[", "[a]", "]", "a]", "a[0]", "{", "{a}", "{{ a }}", "{{a}}", "}", "a}", "&a", "*a", "!a", "|", "|a", ">", ">a", "a>b", "'", "'a'", "it's", "it's: x", "''", "\"", "\"a\"", "a\"b", "%", "%a", "a%", "@", "@a", "a@b", "`", "`a`", "\\", "a\\b", "a: \\b", "a\\tb: c",
		"<", "<<<", "a<<", ">>", "$a", "${a}", "(a)", "a=b", "==", "=a", "/", "/a/b", "a/b:c", "a|b", "a, b", "~a", "a~", "^a", ";", "a;b", "_", "__", "a_b", "+a", ".a", "a.", "a. b", "http://x/y?z=1#f", "x: y: z", "a\n# b", "a\n- b\n: c", "#!/bin/sh\necho \"x\"\n", "key: |\n  text\n", "- a\n- b\n", "{\"a\": 1}", "{\n  \"a\": 1\n}", "a\n---\nb\n", "---\na", "...\n",
	}
	words := strings.TrimSpace(strings.Repeat("word ", 40))
	texts = append(texts, words, words+"\n", words+"\n"+words, "a: "+words, "'"+words, "\t"+words, words+"\t", words+" ", " "+words, strings.ReplaceAll(words, " ", "  "), "\t"+strings.ReplaceAll(words, " ", "  "), "a: "+strings.ReplaceAll(words, " ", "  "),
		strings.Repeat("x", 200), strings.Repeat("x", 100)+" y", strings.Repeat("x", 100)+" y z", strings.Repeat("é ", 60)+"z", strings.Repeat("it's ", 30)+": x", strings.Repeat("\" ", 60)+"x", strings.Repeat("\\ ", 60)+"\tx",
		strings.Repeat("x", 127), strings.Repeat("x", 128), strings.Repeat("x", 129), strings.Repeat("é", 64), strings.Repeat("é", 65), strings.Repeat("x ", 70)+"x", "a\n"+strings.Repeat("x", 130), words+" # "+words, words+" - "+words, strings.Repeat("😀 ", 40)+"x")
	for length := 70; length <= 84; length++ {
		texts = append(texts, strings.Repeat("a", length)+" b c d e", strings.Repeat("a", length)+": b c d e", "\t"+strings.Repeat("a", length)+" b c  d e")
	}
	return texts
}

func structures() []any {
	m := func(pairs ...any) map[string]any {
		result := map[string]any{}
		for i := 0; i < len(pairs); i += 2 {
			result[pairs[i].(string)] = pairs[i+1]
		}
		return result
	}
	l := func(items ...any) []any { return append([]any{}, items...) }
	long := strings.Repeat("k", 150)
	return []any{
		m(), l(), l(l()), l(m()), l(l(l())), m("a", m()), m("a", l()), m("a", m("b", m("c", m()))), l(1, l(2, l(3, l(4)))), l(l(1, 2), l(3)), l(m("a", 1, "b", 2), m("a", 3)),
		m("a", l(1, 2), "b", m("c", l(m("d", 1), m("e", l(l(1), m("f", l())))))), l(l(m("a", l(1)))), m("a", l(l(m("b", 1, "c", 2)))), m("a", nil, "b", true), l(nil, true, "x", 1.5),
		m("a\nb", 1), m("a\nb", l(1, 2)), m("a\nb", m("c", 1)), m("a\nb", m()), m("a\nb", "c\nd"), m(long, 1), m(long, l(1, l(2))), m(long, m("a", 1, "b", l(3))), m(long, "x\ny\n"), m(long, ""), l(m("a\nb", 1, "c", 2)), m("x", m("a\nb\n", l(m("y", 1)))),
		m("a", l("x\ny\n", "z")), l("x\ny", l("x\n y", m("a", "x\ny"))), l(l(" x\ny")), m("a", l(l("\nx"))), m("a", m("b", m("c", "\n\nx\n\n"))), m("a", "x\n\n", "b", 1), l("x\n\n", "\n", "y"),
		m("f6", 1, "f7", 2, "f21", 3, "float", 4, "fs", 5), m("a", 1, "B", 2, "_", 3, "1", 4, "10", 5, "2", 6, "a1", 7, "a10", 8, "a2", 9, "a01", 10, "é", 11, "-", 12, "", 13, "a-b", 14, "ab", 15, "a.b", 16, "a b", 17, "a_b", 18, "aB", 19, "Ab", 20),
		m("v1.10", 1, "v1.9", 2, "v1.09", 3, "v1.100", 4, "v1.1", 5, "v1.01", 6, "v1.001", 7, "100", 8, "1000", 9, "00", 10, "0", 11, "01", 12, "010", 13, "x1y2", 14, "x1y10", 15, "x01y1", 16),
		// No "1a" beside "01" and "10a": the order has cycles there, and Go's answer is random.
		m("10a", 1, "1a", 2), m("app.kubernetes.io/name", 1, "app", 2, "app.kubernetes.io/managed-by", 3, "app-x", 4, "app/x", 5, "kluctl.io/tag-10", 6, "kluctl.io/tag-9", 7, "kluctl.io/tag-0", 8),
		m("true", 1, "null", 2, "1", 3, "1.5", 4, "y", 5, "yes", 6, "~", 7, "2024-01-02", 8, "12:30", 9, "=", 10), m("99999999999999999999", 1, "99999999999999999998", 2, "9", 3),
	}
}
