package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

type usage struct {
	Code      int     `json:"code"`
	Wall      float64 `json:"wall"`
	User      float64 `json:"user"`
	System    float64 `json:"system"`
	PeakBytes int64   `json:"peakBytes"`
}

// measure runs a command with our stdin, stdout and stderr and writes what it used to a file:
// seconds, and the peak resident size of its largest process.
func measure(file string, argv []string) int {
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	started := time.Now()
	if err := cmd.Start(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 127
	}
	_ = cmd.Wait()
	used := usage{
		Code:   cmd.ProcessState.ExitCode(),
		Wall:   time.Since(started).Seconds(),
		User:   cmd.ProcessState.UserTime().Seconds(),
		System: cmd.ProcessState.SystemTime().Seconds(),
	}
	if r, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		used.PeakBytes = int64(r.Maxrss)
		if runtime.GOOS == "linux" {
			used.PeakBytes *= 1024
		}
	}
	text, _ := json.Marshal(used)
	if err := os.WriteFile(file, text, 0o600); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 127
	}
	return used.Code
}
