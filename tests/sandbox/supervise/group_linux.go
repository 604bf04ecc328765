package main

import "syscall"

// ownGroup also lets the kernel end the child when the supervisor itself is killed.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
