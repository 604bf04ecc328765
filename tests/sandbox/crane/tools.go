//go:build tools

// Package tools pins crane, which the benchmark of listings is compared with.
package tools

import _ "github.com/google/go-containerregistry/cmd/crane"
