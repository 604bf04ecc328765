// Command supervise runs servers for a test process and outlives it by a moment.
//
// It is started with a pipe as stdin that only the test process holds. When that
// pipe ends (because the test finished, panicked or was killed) every child is
// killed with its process group and the folders given as arguments are removed.
//
// Protocol, one JSON document per line:
//
//	stdin   {"name": "etcd", "argv": [..], "env": ["K=V"], "dir": "..", "log": ".."}
//	        {"name": "etcd", "signal": "KILL"|"STOP"|"CONT"|"TERM"}
//	stdout  {"name": "etcd", "event": "started", "pid": 1}
//	        {"name": "etcd", "event": "exited", "code": 1}
//	        {"name": "etcd", "event": "failed", "error": ".."}
//
// `supervise measure FILE COMMAND..` runs one command and writes its time and memory to FILE.
package main

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"sync"
	"syscall"
	"time"
)

type request struct {
	Name   string   `json:"name"`
	Argv   []string `json:"argv"`
	Env    []string `json:"env"`
	Dir    string   `json:"dir"`
	Log    string   `json:"log"`
	Signal string   `json:"signal"`
}

type event struct {
	Name  string `json:"name"`
	Event string `json:"event"`
	Pid   int    `json:"pid,omitempty"`
	Code  *int   `json:"code,omitempty"`
	Error string `json:"error,omitempty"`
}

type supervisor struct {
	mu       sync.Mutex
	children map[string]*exec.Cmd
	running  sync.WaitGroup
	out      *json.Encoder
}

var signals = map[string]syscall.Signal{
	"KILL": syscall.SIGKILL, "STOP": syscall.SIGSTOP, "CONT": syscall.SIGCONT, "TERM": syscall.SIGTERM,
}

func main() {
	if len(os.Args) > 3 && os.Args[1] == "measure" {
		os.Exit(measure(os.Args[2], os.Args[3:]))
	}
	// A parent-death signal belongs to the thread that forked: keep that thread.
	runtime.LockOSThread()
	// Ctrl-C is for the test process; its end reaches us through the pipe.
	signal.Ignore(syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)

	s := &supervisor{children: map[string]*exec.Cmd{}, out: json.NewEncoder(os.Stdout)}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(make([]byte, 1<<16), 1<<24)
	for lines.Scan() {
		var r request
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			s.report(event{Event: "failed", Error: err.Error()})
			continue
		}
		if r.Signal != "" {
			s.signal(r)
		} else if err := s.start(r); err != nil {
			s.report(event{Name: r.Name, Event: "failed", Error: err.Error()})
		}
	}
	s.killAll()
	s.removeAll(os.Args[1:])
}

func (s *supervisor) start(r request) error {
	log, err := os.OpenFile(r.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(r.Argv[0], r.Argv[1:]...)
	cmd.Env = append(os.Environ(), r.Env...)
	cmd.Dir = r.Dir
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = ownGroup()
	if err := cmd.Start(); err != nil {
		return err
	}
	s.mu.Lock()
	s.children[r.Name] = cmd
	s.mu.Unlock()
	s.report(event{Name: r.Name, Event: "started", Pid: cmd.Process.Pid})
	s.running.Add(1)
	go func() {
		defer s.running.Done()
		_ = cmd.Wait()
		code := cmd.ProcessState.ExitCode()
		s.mu.Lock()
		if s.children[r.Name] == cmd {
			delete(s.children, r.Name)
		}
		s.mu.Unlock()
		s.report(event{Name: r.Name, Event: "exited", Code: &code})
	}()
	return nil
}

func (s *supervisor) signal(r request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if cmd := s.children[r.Name]; cmd != nil {
		_ = syscall.Kill(-cmd.Process.Pid, signals[r.Signal])
	}
}

func (s *supervisor) killAll() {
	s.mu.Lock()
	for _, cmd := range s.children {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	}
	s.mu.Unlock()
	s.running.Wait()
}

// removeAll tries again for a while: a grandchild may still be writing.
func (s *supervisor) removeAll(dirs []string) {
	for _, dir := range dirs {
		for i := 0; i < 50 && os.RemoveAll(dir) != nil; i++ {
			time.Sleep(20 * time.Millisecond)
		}
	}
}

func (s *supervisor) report(e event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.out.Encode(e)
}
