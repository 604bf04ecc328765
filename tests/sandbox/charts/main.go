// Command charts renders all charts below a folder in one process with Helm's own packages, in parallel: what
// `windlass render` is compared with. `charts FOLDER OUTPUT`: every FOLDER/NAME with a Chart.yaml becomes OUTPUT/NAME.yaml.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"helm.sh/helm/v4/pkg/chart/common"
	commonutil "helm.sh/helm/v4/pkg/chart/common/util"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	chartutil "helm.sh/helm/v4/pkg/chart/v2/util"
	"helm.sh/helm/v4/pkg/engine"
	releaseutil "helm.sh/helm/v4/pkg/release/v1/util"
	"sigs.k8s.io/yaml"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: charts FOLDER OUTPUT")
		os.Exit(2)
	}
	if err := renderAll(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "charts:", err)
		os.Exit(1)
	}
}

func renderAll(folder, output string) error {
	charts, err := filepath.Glob(filepath.Join(folder, "*", "Chart.yaml"))
	if err != nil {
		return err
	}
	if len(charts) == 0 {
		return fmt.Errorf("no charts in %s", folder)
	}
	failures := make([]error, len(charts))
	slots := make(chan struct{}, 2*runtime.GOMAXPROCS(0))
	var group sync.WaitGroup
	for index, file := range charts {
		group.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			dir := filepath.Dir(file)
			failures[index] = render(dir, filepath.Join(output, filepath.Base(dir)+".yaml"))
		})
	}
	group.Wait()
	return errors.Join(failures...)
}

func render(dir, output string) error {
	loaded, err := loader.LoadDir(dir)
	if err != nil {
		return err
	}
	values := map[string]any{}
	if err := chartutil.ProcessDependencies(loaded, values); err != nil {
		return err
	}
	release := common.ReleaseOptions{Name: "r", Namespace: "default", Revision: 1, IsInstall: true}
	top, err := commonutil.ToRenderValues(loaded, values, release, common.DefaultCapabilities)
	if err != nil {
		return err
	}
	files, err := engine.Render(loaded, top)
	if err != nil {
		return err
	}
	hooks, manifests, err := releaseutil.SortManifests(files, nil, releaseutil.InstallOrder)
	if err != nil {
		return err
	}
	var documents []string
	for _, manifest := range manifests {
		documents = append(documents, manifest.Content)
	}
	for _, hook := range hooks {
		documents = append(documents, hook.Manifest)
	}
	var text bytes.Buffer
	for _, document := range documents {
		if err := appendObject(&text, document); err != nil {
			return err
		}
	}
	return os.WriteFile(output, text.Bytes(), 0o600)
}

func appendObject(text *bytes.Buffer, document string) error {
	var object map[string]any
	if err := yaml.Unmarshal([]byte(strings.TrimSpace(document)), &object); err != nil {
		return err
	}
	written, err := yaml.Marshal(object)
	if err == nil {
		text.WriteString("---\n")
		text.Write(written)
	}
	return err
}
