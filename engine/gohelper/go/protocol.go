package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
)

// request is one line of input. Params is decoded by the method.
type request struct {
	ID     uint64          `json:"id"`
	Method string          `json:"method"`
	Params json.RawMessage `json:"params"`
}

// answer is the other kind of input line: what the parent found out for a question.
type answer struct {
	Answer uint64          `json:"answer"`
	Result json.RawMessage `json:"result"`
	Error  *string         `json:"error"`
}

// question is the other kind of output line; ID names the request that needs the answer.
type question struct {
	ID     uint64 `json:"id"`
	Ask    uint64 `json:"ask"`
	Lookup any    `json:"lookup"`
}

// response is one line of output; exactly one of Result and Error is set.
type response struct {
	ID       uint64   `json:"id"`
	Result   any      `json:"result,omitempty"`
	Error    *failure `json:"error,omitempty"`
	Warnings []string `json:"warnings,omitempty"`
}

// Kinds of failure.
const (
	// failedRequest: the request itself can not be understood.
	failedRequest = "request"
	// failedBuild: the library refused the input; the message is its own.
	failedBuild = "build"
	// failedEncoding: the library produced something that JSON can not hold.
	failedEncoding = "encoding"
	// failedPanic: the library panicked.
	failedPanic = "panic"
)

type failure struct {
	Kind    string `json:"kind"`
	Message string `json:"message"`
}

func (f *failure) Error() string { return f.Message }

func fail(kind string, err error) *failure {
	return &failure{Kind: kind, Message: err.Error()}
}

// objectList is the result of both rendering methods: objects in order.
type objectList struct {
	Objects []json.RawMessage `json:"objects"`
}

type server struct {
	slots   chan struct{}
	scratch *scratch

	writing sync.Mutex
	out     io.Writer

	asking  sync.Mutex
	asked   uint64
	waiting map[uint64]chan answer
}

func newServer(out io.Writer, scratch *scratch) *server {
	return &server{
		slots: make(chan struct{}, 2*runtime.GOMAXPROCS(0)), scratch: scratch, out: out,
		waiting: map[uint64]chan answer{},
	}
}

// accept starts the work on one line and returns at once: requests under way may wait for answers in later lines.
func (s *server) accept(line []byte) {
	var found answer
	if json.Unmarshal(line, &found) == nil && found.Answer != 0 {
		s.deliver(found)
		return
	}
	go func() {
		s.slots <- struct{}{}
		defer func() { <-s.slots }()
		s.answer(line)
	}()
}

func (s *server) deliver(found answer) {
	s.asking.Lock()
	waiting, ok := s.waiting[found.Answer]
	delete(s.waiting, found.Answer)
	s.asking.Unlock()
	if ok {
		waiting <- found
	}
}

// ask puts a question to the parent and waits for its answer; null means that there is nothing.
func (s *server) ask(id uint64, lookup any) (json.RawMessage, error) {
	reply := make(chan answer, 1)
	s.asking.Lock()
	s.asked++
	number := s.asked
	s.waiting[number] = reply
	s.asking.Unlock()
	_ = s.writeLine(question{ID: id, Ask: number, Lookup: lookup})
	found := <-reply
	if found.Error != nil {
		return nil, errors.New(*found.Error)
	}
	return found.Result, nil
}

func (s *server) answer(line []byte) {
	var req request
	if err := json.Unmarshal(line, &req); err != nil {
		s.write(response{Error: fail(failedRequest, err)})
		return
	}
	result, warnings, err := s.call(req)
	resp := response{ID: req.ID, Result: result, Warnings: warnings}
	if err != nil {
		resp.Result = nil
		var known *failure
		if !errors.As(err, &known) {
			known = fail(failedBuild, err)
		}
		resp.Error = known
	}
	s.write(resp)
}

// call runs a method; a panic in it becomes an error.
func (s *server) call(req request) (result any, warnings []string, err error) {
	logged := captureLogs()
	defer func() {
		warnings = logged.stop()
		if reason := recover(); reason != nil {
			err = &failure{Kind: failedPanic, Message: panicMessage(req.Method, reason)}
		}
	}()
	switch req.Method {
	case "version":
		result = versions()
	case "kustomize.build":
		result, err = kustomizeBuild(req.Params, s.scratch)
	case "helm.template":
		result, err = helmTemplate(req.Params, func(lookup any) (json.RawMessage, error) { return s.ask(req.ID, lookup) })
	default:
		err = fail(failedRequest, fmt.Errorf("unknown method `%s`", req.Method))
	}
	return result, nil, err
}

func panicMessage(method string, reason any) string {
	if method == "kustomize.build" {
		return fmt.Sprintf("recovered from kustomize build panic: %v", reason)
	}
	return fmt.Sprintf("recovered from panic in %s: %v", method, reason)
}

func (s *server) write(resp response) {
	if err := s.writeLine(resp); err != nil {
		_ = s.writeLine(response{ID: resp.ID, Error: fail(failedEncoding, err)})
	}
}

func (s *server) writeLine(content any) error {
	var line bytes.Buffer
	encoder := json.NewEncoder(&line)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(content); err != nil {
		return err
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	// A failed write means that the parent is gone; the end of stdin stops us.
	_, _ = s.out.Write(line.Bytes())
	return nil
}

func decodeParams(params json.RawMessage, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(params))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return fail(failedRequest, err)
	}
	return nil
}
