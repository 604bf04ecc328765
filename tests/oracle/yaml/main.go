// Command yaml writes what Go's YAML libraries make of a corpus, as JSON
// lines. windlass-yaml's tests hold its own answers against them.
//
//	go run . ../../../engine/yaml/tests/oracle
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	yamlv2 "go.yaml.in/yaml/v2"
	yamlv3 "go.yaml.in/yaml/v3"
	"sigs.k8s.io/yaml"
)

type reading struct {
	Text string          `json:"text"`
	V2   json.RawMessage `json:"v2,omitempty"`
	V2E  string          `json:"v2_error,omitempty"`
	V3   json.RawMessage `json:"v3,omitempty"`
	V3E  string          `json:"v3_error,omitempty"`
}

type writing struct {
	Value  json.RawMessage `json:"value"`
	YAML   string          `json:"yaml"`
	NoFold string          `json:"no_fold,omitempty"`
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: yaml OUTPUT-DIR")
		os.Exit(2)
	}
	var scalars, documents []any
	for _, text := range scalarCorpus() {
		scalars = append(scalars, read("k: "+text+"\n"), read(text+": v\n"))
	}
	for _, text := range documentCorpus() {
		documents = append(documents, read(text))
	}
	var values []writing
	for _, value := range valueCorpus() {
		values = append(values, write(value))
	}
	// The switch is global, so the second form comes last.
	yamlv2.FutureLineWrap()
	var emitted []any
	for _, value := range values {
		if text := write(value.Value).YAML; text != value.YAML {
			value.NoFold = text
		}
		emitted = append(emitted, value)
	}
	save("scalars.jsonl", scalars)
	save("documents.jsonl", documents)
	save("emitted.jsonl", emitted)
}

func read(text string) reading {
	result := reading{Text: text}
	if data, err := yaml.YAMLToJSONStrict([]byte(text)); err != nil {
		result.V2E = err.Error()
	} else {
		result.V2 = data
	}
	if data, err := readV3(text); err != nil {
		result.V3E = err.Error()
	} else {
		result.V3 = data
	}
	return result
}

func readV3(text string) (data []byte, err error) {
	var value any
	if err := yamlv3.Unmarshal([]byte(text), &value); err != nil {
		return nil, err
	}
	return encode(value)
}

func write(value any) writing {
	data, err := encode(value)
	if err != nil {
		panic(err)
	}
	text, err := yaml.JSONToYAML(data)
	if err != nil {
		// Characters that JSON leaves raw and YAML refuses, such as DEL.
		text = encodeDirectly(data)
	}
	return writing{Value: data, YAML: string(text)}
}

func encodeDirectly(data []byte) []byte {
	var value any
	if err := json.Unmarshal(data, &value); err != nil {
		panic(err)
	}
	text, err := yamlv2.Marshal(value)
	if err != nil {
		panic(err)
	}
	return text
}

func encode(value any) ([]byte, error) {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, err
	}
	return bytes.TrimSpace(buffer.Bytes()), nil
}

func save(name string, lines []any) {
	var buffer bytes.Buffer
	for _, line := range lines {
		data, err := encode(line)
		if err != nil {
			panic(err)
		}
		buffer.Write(data)
		buffer.WriteByte('\n')
	}
	if err := os.WriteFile(filepath.Join(os.Args[1], name), buffer.Bytes(), 0o644); err != nil {
		panic(err)
	}
}
