// Writes `src/merge_keys.txt`: where strategic merges happen, from the schema that Kustomize has built in.
//
//	go run ./merge_keys > ../../src/merge_keys.txt
package main

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/kube-openapi/pkg/validation/spec"
	"sigs.k8s.io/kustomize/kyaml/openapi"
)

const definitions = "#/definitions/"

// field of a type: a list may be merged, and leads to the type of its items.
type field struct {
	list, merged bool
	keys         []string
	item         string
}

func main() {
	types := map[string]map[string]field{}
	all := map[string]spec.Schema(openapi.Schema().Definitions)
	for name, schema := range all {
		types[name] = fields(schema)
	}
	leads := leading(types)
	kinds := kindsOf(all, leads)
	names := reachable(types, leads, kinds)
	short := shortNames(names)
	fmt.Println("# Where strategic merges happen below a kind: `map`, `list` and `merge KEYS` lead to a type, `set` merges plain values.")
	fmt.Println("# Written by tests/oracle/merge_keys from the schema that Kustomize 0.21.1 has built in.")
	for _, kind := range sorted(kinds) {
		fmt.Println("kind", kind, short[kinds[kind]])
	}
	for _, name := range names {
		fmt.Println("type", short[name])
		for _, fieldName := range sorted(types[name]) {
			if line := types[name][fieldName].line(short); line != "" {
				fmt.Println("", fieldName, line)
			}
		}
	}
}

func (f field) line(short map[string]string) string {
	item := short[f.item]
	switch {
	case f.merged && len(f.keys) == 0:
		return "set"
	case f.merged && item == "":
		return "merge " + strings.Join(f.keys, ",") + " -"
	case f.merged:
		return "merge " + strings.Join(f.keys, ",") + " " + item
	case item == "":
		return ""
	case f.list:
		return "list " + item
	default:
		return "map " + item
	}
}

func fields(schema spec.Schema) map[string]field {
	result := map[string]field{}
	for name, property := range schema.Properties {
		switch {
		case property.Ref.String() != "":
			result[name] = field{item: strings.TrimPrefix(property.Ref.String(), definitions)}
		case len(property.Type) == 1 && property.Type[0] == "array" && property.Items != nil && property.Items.Schema != nil:
			resource := openapi.ResourceSchema{Schema: &property}
			strategy, keys := resource.PatchStrategyAndKeyList()
			item := strings.TrimPrefix(property.Items.Schema.Ref.String(), definitions)
			result[name] = field{list: true, merged: slices.Contains(strings.Split(strategy, ","), "merge"), keys: keys, item: item}
		}
	}
	return result
}

// leading: the types that have a merged list somewhere below.
func leading(types map[string]map[string]field) map[string]bool {
	leads := map[string]bool{}
	for changed := true; changed; {
		changed = false
		for name, fields := range types {
			for _, f := range fields {
				if !leads[name] && (f.merged || leads[f.item]) {
					leads[name], changed = true, true
				}
			}
		}
	}
	return leads
}

// kindsOf leaves out what nobody keeps in a file.
func kindsOf(all map[string]spec.Schema, leads map[string]bool) map[string]string {
	kinds := map[string]string{}
	for name, schema := range all {
		entries, _ := schema.Extensions["x-kubernetes-group-version-kind"].([]interface{})
		if !leads[name] || len(entries) != 1 {
			continue
		}
		entry := entries[0].(map[string]interface{})
		version, kind := entry["version"].(string), entry["kind"].(string)
		if group := entry["group"].(string); group != "" {
			version = group + "/" + version
		}
		requests := []string{"Scale", "TokenRequest", "TokenReview", "Binding", "Eviction", "Status", "WatchEvent"}
		if strings.HasSuffix(kind, "List") || strings.HasSuffix(kind, "Options") || strings.Contains(kind, "AccessReview") ||
			strings.Contains(kind, "SelfSubject") || slices.Contains(requests, kind) {
			continue
		}
		kinds[version+" "+kind] = name
	}
	return kinds
}

func reachable(types map[string]map[string]field, leads map[string]bool, kinds map[string]string) []string {
	found := map[string]bool{}
	var visit func(string)
	visit = func(name string) {
		if leads[name] && !found[name] {
			found[name] = true
			for _, f := range types[name] {
				visit(f.item)
			}
		}
	}
	for _, name := range kinds {
		visit(name)
	}
	return sorted(found)
}

// shortNames: the last part, with as many before it as are needed.
func shortNames(names []string) map[string]string {
	short, used := map[string]string{}, map[string]bool{}
	for _, name := range names {
		parts := strings.Split(name, ".")
		last := len(parts) - 1
		candidate := parts[last]
		for used[candidate] {
			last--
			candidate = parts[last] + "." + candidate
		}
		short[name], used[candidate] = candidate, true
	}
	return short
}

func sorted[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
