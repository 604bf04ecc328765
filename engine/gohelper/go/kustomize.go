package main

import (
	"encoding/json"
	"fmt"
	"sync"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/openapi"
)

type kustomizeParams struct {
	// Dir has the kustomization.
	Dir string `json:"dir"`
	// Root is the folder that must contain, after links are followed, every file that is read.
	Root string `json:"root"`
}

// building: Kustomize keeps its schema in process-wide variables and does not guard all of them.
var building sync.Mutex

func kustomizeBuild(raw json.RawMessage, scratch *scratch) (any, error) {
	var params kustomizeParams
	if err := decodeParams(raw, &params); err != nil {
		return nil, err
	}
	temporary, err := scratch.dir()
	if err != nil {
		return nil, err
	}
	disk, err := newConfinedFS(params.Root, temporary)
	if err != nil {
		return nil, err
	}
	built, err := buildExclusively(disk, params.Dir)
	if err != nil {
		return nil, err
	}
	return encodeResources(built)
}

func buildExclusively(disk *confinedFS, dir string) (resmap.ResMap, error) {
	building.Lock()
	defer building.Unlock()
	defer forgetCustomSchema(openapi.GetSchemaVersion())
	options := &krusty.Options{
		Reorder:          krusty.ReorderOptionNone,
		LoadRestrictions: types.LoadRestrictionsNone,
		PluginConfig:     types.DisabledPluginConfig(),
	}
	var built resmap.ResMap
	err := captureStderr(func() (err error) {
		built, err = krusty.MakeKustomizer(options).Run(disk, dir)
		return err
	})
	return built, err
}

// forgetCustomSchema keeps the `openapi` field of one kustomization from leaking into the next build.
func forgetCustomSchema(before string) {
	if openapi.GetSchemaVersion() != before {
		openapi.ResetOpenAPI()
	}
}

func encodeResources(built resmap.ResMap) (any, error) {
	objects := make([]json.RawMessage, 0, built.Size())
	for _, resource := range built.Resources() {
		fields, err := resource.Map()
		if err != nil {
			return nil, err
		}
		text, err := encodeObject(fields)
		if err != nil {
			return nil, err
		}
		objects = append(objects, text)
	}
	return objectList{Objects: objects}, nil
}

func encodeObject(fields map[string]any) (json.RawMessage, error) {
	text, err := json.Marshal(withoutNegativeZero(fields))
	if err != nil {
		return nil, fail(failedEncoding, fmt.Errorf("error marshaling into JSON: %w", err))
	}
	return text, nil
}

// withoutNegativeZero: every later writer of the value drops the sign, so that it must not look like a difference.
func withoutNegativeZero(value any) any {
	switch value := value.(type) {
	case map[string]any:
		for key, inner := range value {
			value[key] = withoutNegativeZero(inner)
		}
	case []any:
		for index, inner := range value {
			value[index] = withoutNegativeZero(inner)
		}
	case float64:
		if value == 0 {
			return 0
		}
	}
	return value
}
