package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"log/slog"
	"os"
	"runtime"
	"strings"
	"sync"
)

// Helm and Kustomize report some findings only to the process-wide loggers. Both work on the goroutine of their caller,
// so what they log is handed to the request that runs there.
var sinks = struct {
	sync.Mutex
	byGoroutine map[string]*logSink
}{byGoroutine: map[string]*logSink{}}

type logSink struct {
	goroutine string
	messages  []string
}

// captureLogs collects what the calling goroutine logs until stop is called on it.
func captureLogs() *logSink {
	sink := &logSink{goroutine: goroutineID()}
	sinks.Lock()
	defer sinks.Unlock()
	sinks.byGoroutine[sink.goroutine] = sink
	return sink
}

func (s *logSink) stop() []string {
	sinks.Lock()
	defer sinks.Unlock()
	delete(sinks.byGoroutine, s.goroutine)
	return s.messages
}

func record(message string) {
	sinks.Lock()
	defer sinks.Unlock()
	if sink, ok := sinks.byGoroutine[goroutineID()]; ok {
		sink.messages = append(sink.messages, strings.TrimRight(message, "\n"))
	}
}

// goroutineID reads the number out of the stack header `goroutine 12 [running]:`.
func goroutineID() string {
	var header [64]byte
	text := header[:runtime.Stack(header[:], false)]
	text = bytes.TrimPrefix(text, []byte("goroutine "))
	id, _, _ := bytes.Cut(text, []byte(" "))
	return string(id)
}

func installLogCapture() {
	slog.SetDefault(slog.New(slogCapture{}))
	// After SetDefault, which redirects the plain logger into slog.
	log.SetFlags(log.LstdFlags)
	log.SetOutput(plainCapture{})
}

type plainCapture struct{}

func (plainCapture) Write(line []byte) (int, error) {
	record(string(line))
	return len(line), nil
}

// slogCapture renders a record as Go's default handler does.
type slogCapture struct{ attrs string }

func (slogCapture) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelInfo }

func (c slogCapture) Handle(_ context.Context, entry slog.Record) error {
	text := entry.Time.Format("2006/01/02 15:04:05 ") + entry.Level.String() + " " + entry.Message + c.attrs
	entry.Attrs(func(attr slog.Attr) bool {
		text += formatAttr(attr)
		return true
	})
	record(text)
	return nil
}

func (c slogCapture) WithAttrs(attrs []slog.Attr) slog.Handler {
	for _, attr := range attrs {
		c.attrs += formatAttr(attr)
	}
	return c
}

func (c slogCapture) WithGroup(string) slog.Handler { return c }

func formatAttr(attr slog.Attr) string { return fmt.Sprintf(" %s=%v", attr.Key, attr.Value) }

// captureStderr records what `work` prints to stderr. Only one caller may be inside at a time.
func captureStderr(work func() error) error {
	reader, writer, err := os.Pipe()
	if err != nil {
		return err
	}
	read := make(chan string, 1)
	go func() {
		text, _ := io.ReadAll(reader)
		_ = reader.Close()
		read <- string(text)
	}()
	original := os.Stderr
	os.Stderr = writer
	defer func() {
		os.Stderr = original
		_ = writer.Close()
		for line := range strings.Lines(<-read) {
			if strings.TrimSpace(line) != "" {
				record(line)
			}
		}
	}()
	return work()
}
