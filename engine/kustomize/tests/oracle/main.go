// Writes the corpus: kustomizations, made by hand and by chance, with what Kustomize's own library makes of them.
//
//	go run . <corpus folder>
//
// The chance has a fixed seed, so that a second run writes the same files. They are checked in: the tests do not need
// Go. One line of a file is one case.
package main

import (
	"encoding/json"
	"fmt"
	"math/rand"
	"os"
	"path/filepath"
	"strings"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

type kase struct {
	Name    string            `json:"name"`
	Files   map[string]string `json:"files"`
	Objects []any             `json:"objects,omitempty"`
	Error   string            `json:"error,omitempty"`
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: oracle <corpus folder>")
		os.Exit(2)
	}
	families := map[string][]kase{"by-hand": byHand(filepath.Join(os.Args[1], "by-hand.txt"))}
	for name, family := range generated {
		// Every family has its own chance, so that a change of one leaves the others alone.
		random := rand.New(rand.NewSource(int64(len(name))*7919 + int64(name[0])))
		for i := range family.count {
			p := &project{random: random, files: map[string]string{}, exists: map[string]bool{}}
			family.make(p)
			families[name] = append(families[name], kase{Name: fmt.Sprintf("%s-%d", name, i), Files: p.files})
		}
	}
	total := 0
	for name, cases := range families {
		total += len(cases)
		write(filepath.Join(os.Args[1], name+".jsonl"), cases)
	}
	fmt.Println(total, "cases")
}

func write(path string, cases []kase) {
	var text strings.Builder
	for _, c := range cases {
		answer(&c)
		line, err := json.Marshal(c)
		check(err)
		text.Write(line)
		text.WriteString("\n")
	}
	check(os.WriteFile(path, []byte(text.String()), 0o644))
}

// answer builds the folder `item`, with the settings of the helper.
func answer(c *kase) {
	disk := filesys.MakeFsInMemory()
	for name, text := range c.Files {
		check(disk.WriteFile("/root/"+name, []byte(text)))
	}
	defer func() {
		if problem := recover(); problem != nil {
			c.Objects, c.Error = nil, fmt.Sprint("panic: ", problem)
		}
	}()
	options := &krusty.Options{
		Reorder:          krusty.ReorderOptionNone,
		LoadRestrictions: types.LoadRestrictionsNone,
		PluginConfig:     types.DisabledPluginConfig(),
	}
	built, err := krusty.MakeKustomizer(options).Run(disk, "/root/item")
	if err != nil {
		c.Error = err.Error()
		return
	}
	c.Objects = []any{}
	for _, resource := range built.Resources() {
		fields, err := resource.Map()
		if err != nil {
			c.Objects, c.Error = nil, err.Error()
			return
		}
		c.Objects = append(c.Objects, fields)
	}
}

// byHand reads `=== name` and `--- file` sections.
func byHand(path string) []kase {
	text, err := os.ReadFile(path)
	check(err)
	var cases []kase
	file := ""
	for _, line := range strings.SplitAfter(string(text), "\n") {
		switch {
		case strings.HasPrefix(line, "=== "):
			cases = append(cases, kase{Name: strings.TrimSpace(line[4:]), Files: map[string]string{}})
		case strings.HasPrefix(line, "--- ") && strings.Contains(line, "/"):
			file = strings.TrimSpace(line[4:])
			cases[len(cases)-1].Files[file] = ""
		case len(cases) > 0:
			cases[len(cases)-1].Files[file] += line
		}
	}
	return cases
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
