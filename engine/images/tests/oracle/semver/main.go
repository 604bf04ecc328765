// Generates (range, version) pairs and asks Masterminds semver about each.
//
// Run with: go run . > ../../golden/semver-generated.jsonl
// The seed is fixed, so the same library version gives the same file.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math/rand"
	"os"
	"strings"

	"github.com/Masterminds/semver/v3"
)

const pairs = 4000

type row struct {
	Constraint string `json:"constraint"`
	Version    string `json:"version"`
	Error      string `json:"error,omitempty"`
	Matches    *bool  `json:"matches,omitempty"`
}

var random = rand.New(rand.NewSource(20261121))

func pick(choices ...string) string { return choices[random.Intn(len(choices))] }

func number() string {
	switch random.Intn(12) {
	case 0:
		return "0"
	case 1:
		return fmt.Sprintf("0%d", random.Intn(4))
	case 2:
		return pick("10", "11", "99", "18446744073709551615", "18446744073709551616")
	default:
		return fmt.Sprint(random.Intn(4))
	}
}

func part() string {
	if random.Intn(7) == 0 {
		return pick("x", "X", "*")
	}
	return number()
}

func pre() string {
	if random.Intn(3) != 0 {
		return ""
	}
	return pick("-0", "-rc", "-rc.1", "-rc.2", "-alpha", "-alpha.1", "-1", "-10", "-2", "-01", "-a-b", "-", "-rc..1", "-Z", "-18446744073709551616")
}

func meta() string {
	if random.Intn(10) != 0 {
		return ""
	}
	return pick("+b1", "+1.2", "+", "+a..b")
}

func prefix() string {
	if random.Intn(5) == 0 {
		return pick("v", "v", "V", "=")
	}
	return ""
}

func numbers(one func() string) string {
	count := 1 + random.Intn(4)
	if count == 4 {
		count = 3
	}
	if random.Intn(40) == 0 {
		count = 4
	}
	parts := make([]string, count)
	for i := range parts {
		parts[i] = one()
	}
	return strings.Join(parts, ".")
}

func comparator() string {
	operator := pick("", "", "=", "!=", ">", "<", ">=", "=>", "<=", "=<", "~", "~>", "^", "^", "~", ">=", "<", "> =", "==", "!")
	space := pick("", "", "", " ", "\t")
	return operator + space + strings.TrimPrefix(prefix(), "=") + numbers(part) + pre() + meta()
}

func group() string {
	if random.Intn(8) == 0 {
		dash := pick(" - ", " - ", " - ", "-", " -")
		return numbers(part) + pre() + dash + numbers(part) + pre()
	}
	count := 1 + random.Intn(3)
	var text strings.Builder
	for i := range count {
		if i > 0 {
			text.WriteString(pick(" ", ", ", ",", "  ", " ,", ",,", ""))
		}
		text.WriteString(comparator())
	}
	return text.String()
}

func constraint() string {
	switch random.Intn(40) {
	case 0:
		return pick("", " ", "*", "x", "||", "1 |", "1 | 2", "latest", ">=", "1.2.3 ||", strings.Repeat("1 || ", 40)+"1")
	case 1:
		return group() + pick("||", " ||", "|| ") + group() + " || " + group()
	}
	if random.Intn(4) == 0 {
		return group() + pick(" || ", "||", " ||") + group()
	}
	return group()
}

func version() string { return strings.TrimPrefix(prefix(), "=") + numbers(number) + pre() + meta() }

func main() {
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	seen := map[[2]string]bool{}
	for made := 0; made < pairs; {
		text, candidate := constraint(), version()
		if seen[[2]string{text, candidate}] {
			continue
		}
		parsed, err := semver.NewVersion(candidate)
		if err != nil {
			continue
		}
		seen[[2]string{text, candidate}] = true
		answer := row{Constraint: text, Version: candidate}
		if limits, err := semver.NewConstraint(text); err != nil {
			// A quarter of all pairs at most: a bad range says little about versions.
			if random.Intn(4) != 0 {
				continue
			}
			answer.Error = err.Error()
		} else {
			matches := limits.Check(parsed)
			answer.Matches = &matches
		}
		made++
		if err := encoder.Encode(answer); err != nil {
			panic(err)
		}
	}
}
