// Command gohelper lends Helm's template engine and Kustomize's build API to windlass.
//
// It reads one JSON request a line from stdin and writes one JSON response a line to stdout, in any order.
// It ends when stdin ends, so it never outlives the process that started it.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
)

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "gohelper:", err)
		os.Exit(1)
	}
}

func run(in io.Reader, out io.Writer) error {
	scratch, err := newScratch()
	if err != nil {
		return err
	}
	defer scratch.remove()
	installLogCapture()
	server := newServer(out, scratch)
	lines := bufio.NewReaderSize(in, 64<<10)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 1 {
			server.accept(line)
		}
		if errors.Is(err, io.EOF) {
			// The parent has gone or wants no more answers: nobody would read what is still under way.
			return nil
		}
		if err != nil {
			return err
		}
	}
}
