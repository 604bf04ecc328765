package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	ci "helm.sh/helm/v4/pkg/chart"
	"helm.sh/helm/v4/pkg/chart/common"
	commonutil "helm.sh/helm/v4/pkg/chart/common/util"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	chartutil "helm.sh/helm/v4/pkg/chart/v2/util"
	"helm.sh/helm/v4/pkg/engine"
	release "helm.sh/helm/v4/pkg/release/v1"
	releaseutil "helm.sh/helm/v4/pkg/release/v1/util"
)

type helmParams struct {
	ChartDir    string `json:"chartDir"`
	ReleaseName string `json:"releaseName"`
	Namespace   string `json:"namespace"`
	// Values is the text of the values file, ValuesName its name in errors.
	Values     string `json:"values"`
	ValuesName string `json:"valuesName"`
	// KubeVersion empty: Helm's default.
	KubeVersion string `json:"kubeVersion"`
	// APIVersions nil: Helm's default list. Otherwise exactly these.
	APIVersions []string `json:"apiVersions"`
	SkipCRDs    bool     `json:"skipCRDs"`
	// Lookup: templates may ask for live objects. Otherwise `lookup` finds nothing.
	Lookup bool `json:"lookup"`
}

// helmTemplate does what `helm install --dry-run` does before it talks to a cluster.
func helmTemplate(raw json.RawMessage, ask askFunc) (any, error) {
	var params helmParams
	if err := decodeParams(raw, &params); err != nil {
		return nil, err
	}
	values, err := readValues(params)
	if err != nil {
		return nil, err
	}
	loaded, err := loader.LoadDir(params.ChartDir)
	if err != nil {
		return nil, err
	}
	if err := checkInstallable(loaded); err != nil {
		return nil, err
	}
	if err := chartutil.ValidateReleaseName(params.ReleaseName); err != nil {
		return nil, fmt.Errorf("release name check failed: release name %q: %w", params.ReleaseName, err)
	}
	documents, err := renderDocuments(loaded, values, params, ask)
	if err != nil {
		return nil, err
	}
	objects, err := decodeDocuments(documents)
	if err != nil {
		return nil, err
	}
	return objectList{Objects: objects}, nil
}

func readValues(params helmParams) (map[string]any, error) {
	values, err := loader.LoadValues(strings.NewReader(params.Values))
	if err != nil {
		return nil, fmt.Errorf("failed to parse %s: %w", params.ValuesName, err)
	}
	return values, nil
}

func checkInstallable(loaded *chart.Chart) error {
	if kind := loaded.Metadata.Type; kind != "" && kind != "application" {
		return fmt.Errorf("%s charts are not installable", kind)
	}
	if loaded.Metadata.Deprecated {
		record(fmt.Sprintf("Chart %s is deprecated", loaded.Name()))
	}
	return nil
}

// renderDocuments returns YAML texts in the order of installation: CRDs, manifests, hooks.
func renderDocuments(
	loaded *chart.Chart, values map[string]any, params helmParams, ask askFunc,
) ([]string, error) {
	if err := chartutil.ProcessDependencies(loaded, values); err != nil {
		return nil, fmt.Errorf("chart dependencies processing failed: %w", err)
	}
	capabilities, err := capabilitiesOf(params)
	if err != nil {
		return nil, err
	}
	release := common.ReleaseOptions{
		Name: params.ReleaseName, Namespace: params.Namespace, Revision: 1, IsInstall: true,
	}
	top, err := commonutil.ToRenderValues(loaded, values, release, capabilities)
	if err != nil {
		return nil, inFixedOrder(err)
	}
	if err := checkKubeVersion(loaded, capabilities); err != nil {
		return nil, err
	}
	render := engine.Render
	if params.Lookup {
		render = func(chart ci.Charter, values common.Values) (map[string]string, error) {
			return engine.RenderWithClientProvider(chart, values, liveObjects{ask})
		}
	}
	files, err := render(loaded, top)
	if err != nil {
		return nil, err
	}
	dropNotes(files)
	hooks, manifests, err := releaseutil.SortManifests(files, nil, releaseutil.InstallOrder)
	if err != nil {
		return nil, err
	}
	return inOrder(loaded, manifests, hooks, params.SkipCRDs), nil
}

// inFixedOrder sorts the violations of a schema, which Helm lists in random order, within each chart.
func inFixedOrder(err error) error {
	lines := strings.Split(err.Error(), "\n")
	isViolation := func(line string) bool { return strings.HasPrefix(line, "- at ") }
	for start := 0; start < len(lines); start++ {
		end := start
		for end < len(lines) && isViolation(lines[end]) {
			end++
		}
		slices.Sort(lines[start:end])
		start = max(start, end-1)
	}
	return errors.New(strings.Join(lines, "\n"))
}

func capabilitiesOf(params helmParams) (*common.Capabilities, error) {
	capabilities := common.DefaultCapabilities.Copy()
	if params.KubeVersion != "" {
		version, err := common.ParseKubeVersion(params.KubeVersion)
		if err != nil {
			return nil, fmt.Errorf("invalid kube version '%s': %w", params.KubeVersion, err)
		}
		capabilities.KubeVersion = *version
	}
	if params.APIVersions != nil {
		capabilities.APIVersions = common.VersionSet(params.APIVersions)
	}
	return capabilities, nil
}

func checkKubeVersion(loaded *chart.Chart, capabilities *common.Capabilities) error {
	wanted := loaded.Metadata.KubeVersion
	if wanted == "" || chartutil.IsCompatibleRange(wanted, capabilities.KubeVersion.String()) {
		return nil
	}
	return fmt.Errorf("chart requires kubeVersion: %s which is incompatible with Kubernetes %s",
		wanted, capabilities.KubeVersion.Version)
}

func dropNotes(files map[string]string) {
	for name := range files {
		if strings.HasSuffix(name, "NOTES.txt") {
			delete(files, name)
		}
	}
}

func inOrder(loaded *chart.Chart, manifests []releaseutil.Manifest, hooks []*release.Hook, skipCRDs bool) []string {
	var documents []string
	if !skipCRDs {
		for _, crd := range loaded.CRDObjects() {
			documents = append(documents, string(crd.File.Data))
		}
	}
	for _, manifest := range manifests {
		documents = append(documents, manifest.Content)
	}
	for _, hook := range hooks {
		documents = append(documents, hook.Manifest)
	}
	return documents
}

// decodeDocuments reads leniently: of a duplicate key the last one wins, empty documents are dropped.
func decodeDocuments(documents []string) ([]json.RawMessage, error) {
	objects := []json.RawMessage{}
	for _, text := range documents {
		reader := utilyaml.NewYAMLReader(bufio.NewReader(strings.NewReader(text)))
		for {
			document, err := reader.Read()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return nil, err
			}
			object, err := decodeDocument(document)
			if err != nil {
				return nil, err
			}
			if object != nil && !isTestHook(object) {
				objects = append(objects, object)
			}
		}
	}
	return objects, nil
}

func decodeDocument(document []byte) (json.RawMessage, error) {
	object, err := yaml.YAMLToJSON(document)
	if err != nil {
		return nil, err
	}
	object = bytes.TrimSpace(object)
	if bytes.Equal(object, []byte("null")) {
		return nil, nil
	}
	if object[0] != '{' {
		return nil, fmt.Errorf("expected a map in the rendered chart, got `%s`", abbreviate(object))
	}
	return object, nil
}

func abbreviate(text []byte) string {
	if len(text) > 60 {
		return string(text[:60]) + "…"
	}
	return string(text)
}

// isTestHook looks for `test` only: Helm's older word `test-success` has always been kept.
func isTestHook(object json.RawMessage) bool {
	var head struct {
		Metadata struct {
			Annotations map[string]any `json:"annotations"`
		} `json:"metadata"`
	}
	if json.Unmarshal(object, &head) != nil {
		return false
	}
	hook, _ := head.Metadata.Annotations[release.HookAnnotation].(string)
	return slices.ContainsFunc(strings.Split(hook, ","), func(name string) bool {
		return strings.TrimSpace(name) == "test"
	})
}
