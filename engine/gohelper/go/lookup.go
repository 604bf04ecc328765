package main

import (
	"bytes"
	"context"
	"encoding/json"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/client-go/dynamic"
)

// askFunc puts a question to the parent, which knows the cluster.
type askFunc func(lookup any) (json.RawMessage, error)

// lookupQuestion asks for an object, or without a name for all of a kind.
type lookupQuestion struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Namespace  string `json:"namespace,omitempty"`
	Name       string `json:"name,omitempty"`
}

// liveObjects answers Helm's `lookup` through the parent. This process never connects to a cluster.
type liveObjects struct{ ask askFunc }

// GetClientFor calls every kind namespaced: the parent knows better, and drops a namespace where there is none.
func (l liveObjects) GetClientFor(apiVersion, kind string) (dynamic.NamespaceableResourceInterface, bool, error) {
	return liveKind{ask: l.ask, question: lookupQuestion{APIVersion: apiVersion, Kind: kind}}, true, nil
}

// liveKind can only read; the embedded interface is nil, and Helm calls none of its methods.
type liveKind struct {
	dynamic.NamespaceableResourceInterface
	ask      askFunc
	question lookupQuestion
}

func (k liveKind) Namespace(namespace string) dynamic.ResourceInterface {
	k.question.Namespace = namespace
	return k
}

func (k liveKind) Get(
	_ context.Context, name string, _ metav1.GetOptions, _ ...string,
) (*unstructured.Unstructured, error) {
	k.question.Name = name
	content, err := k.content()
	return &unstructured.Unstructured{Object: content}, err
}

func (k liveKind) List(_ context.Context, _ metav1.ListOptions) (*unstructured.UnstructuredList, error) {
	content, err := k.content()
	if err != nil {
		return nil, err
	}
	list := &unstructured.UnstructuredList{}
	list.SetUnstructuredContent(content)
	return list, nil
}

func (k liveKind) content() (map[string]any, error) {
	answer, err := k.ask(k.question)
	if err != nil {
		return nil, err
	}
	if len(answer) == 0 || bytes.Equal(bytes.TrimSpace(answer), []byte("null")) {
		return nil, apierrors.NewNotFound(schema.GroupResource{Resource: k.question.Kind}, k.question.Name)
	}
	var content map[string]any
	// Whole numbers stay whole, as they do in Helm.
	err = utiljson.Unmarshal(answer, &content)
	return content, err
}
