// Command charts renders the cases beside it with Helm's own `install --dry-run=client` and writes the answers.
//
// It goes through Helm's action package, the code behind `helm template`, and shares nothing with windlass's helper.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"helm.sh/helm/v4/pkg/action"
	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	release "helm.sh/helm/v4/pkg/release/v1"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

type settings struct {
	Namespace   string   `json:"namespace"`
	KubeVersion string   `json:"kubeVersion"`
	APIVersions []string `json:"apiVersions"`
	SkipCRDs    bool     `json:"skipCRDs"`
}

type expected struct {
	Objects []json.RawMessage `json:"objects,omitempty"`
	Error   string            `json:"error,omitempty"`
}

func main() {
	slog.SetDefault(slog.New(slog.NewTextHandler(io.Discard, nil)))
	// After SetDefault, which redirects the plain logger into slog.
	log.SetOutput(os.Stderr)
	cases, err := filepath.Glob(filepath.Join(os.Args[1], "*.txt"))
	if err != nil || len(cases) == 0 {
		log.Fatal("no cases: ", err)
	}
	for _, path := range cases {
		var out expected
		objects, err := render(path)
		if err != nil {
			out.Error = sorted(err.Error())
		} else {
			out.Objects = objects
		}
		var text bytes.Buffer
		encoder := json.NewEncoder(&text)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", " ")
		if err := encoder.Encode(out); err != nil {
			log.Fatal(path, ": ", err)
		}
		if err := os.WriteFile(strings.TrimSuffix(path, ".txt")+".json", text.Bytes(), 0o644); err != nil {
			log.Fatal(err)
		}
	}
}

func render(path string) ([]json.RawMessage, error) {
	dir, err := os.MkdirTemp("", "chart-oracle-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	given, values, err := unpack(path, dir)
	if err != nil {
		log.Fatal(path, ": ", err)
	}
	loaded, err := loader.LoadDir(filepath.Join(dir, "chart"))
	if err != nil {
		return nil, err
	}
	// As the command does before it calls the action.
	if kind := loaded.Metadata.Type; kind != "" && kind != "application" {
		return nil, fmt.Errorf("%s charts are not installable", kind)
	}
	parsed, err := loader.LoadValues(strings.NewReader(values))
	if err != nil {
		return nil, err
	}
	install := action.NewInstall(action.NewConfiguration())
	install.DryRunStrategy = action.DryRunClient
	install.ReleaseName, install.Namespace = "rel", given.Namespace
	install.Replace, install.IncludeCRDs = true, !given.SkipCRDs
	install.APIVersions = common.VersionSet(given.APIVersions)
	if given.KubeVersion != "" {
		if install.KubeVersion, err = common.ParseKubeVersion(given.KubeVersion); err != nil {
			return nil, err
		}
	}
	installed, err := install.Run(loaded, parsed)
	if err != nil {
		return nil, err
	}
	rel, ok := installed.(*release.Release)
	if !ok {
		return nil, errors.New("no release")
	}
	objects, err := decode(nil, rel.Manifest)
	for _, hook := range rel.Hooks {
		if err == nil && !isTest(hook) {
			objects, err = decode(objects, hook.Manifest)
		}
	}
	return objects, err
}

// sorted brings violations of a schema, which Helm lists in random order, into one order.
func sorted(message string) string {
	lines := strings.Split(message, "\n")
	slices.SortStableFunc(lines, func(a, b string) int {
		if strings.HasPrefix(a, "- at ") && strings.HasPrefix(b, "- at ") {
			return strings.Compare(a, b)
		}
		return 0
	})
	return strings.Join(lines, "\n")
}

func isTest(hook *release.Hook) bool {
	for _, event := range hook.Events {
		if event == release.HookTest {
			return true
		}
	}
	return false
}

func decode(objects []json.RawMessage, text string) ([]json.RawMessage, error) {
	reader := utilyaml.NewYAMLReader(bufio.NewReader(strings.NewReader(text)))
	for {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		if err != nil {
			return nil, err
		}
		object, err := yaml.YAMLToJSON(document)
		if err != nil {
			return nil, err
		}
		if string(object) != "null" {
			objects = append(objects, object)
		}
	}
}

// unpack writes the files of a case: settings in its first line, then `-- path --` lines, each with a file below.
// A path that ends with `;crlf` gets the line ends of Windows.
func unpack(path, dir string) (settings, string, error) {
	var given settings
	text, err := os.ReadFile(path)
	if err != nil {
		return given, "", err
	}
	head, rest, _ := strings.Cut(string(text), "\n")
	if err := json.Unmarshal([]byte(head), &given); err != nil {
		return given, "", err
	}
	values := ""
	for _, part := range strings.Split("\n"+rest, "\n-- ")[1:] {
		name, content, found := strings.Cut(part, " --\n")
		if !found {
			return given, "", fmt.Errorf("bad part %q", part)
		}
		if content != "" && !strings.HasSuffix(content, "\n") {
			content += "\n"
		}
		if plain, windows := strings.CutSuffix(name, ";crlf"); windows {
			name, content = plain, strings.ReplaceAll(content, "\n", "\r\n")
		}
		if name == "values" {
			values = content
			continue
		}
		file := filepath.Join(dir, "chart", filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return given, "", err
		}
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			return given, "", err
		}
	}
	return given, values, nil
}
