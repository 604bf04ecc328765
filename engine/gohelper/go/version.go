package main

import "runtime/debug"

type versionResult struct {
	Helm      string `json:"helm"`
	Kustomize string `json:"kustomize"`
	Go        string `json:"go"`
}

// versions reads what was compiled in.
func versions() versionResult {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return versionResult{}
	}
	result := versionResult{Go: info.GoVersion}
	for _, module := range info.Deps {
		switch module.Path {
		case "helm.sh/helm/v4":
			result.Helm = module.Version
		case "sigs.k8s.io/kustomize/api":
			result.Kustomize = module.Version
		}
	}
	return result
}
