// Command memory-registry serves an in-memory OCI registry on loopback.
//
// go-containerregistry's own command cannot say which port it took and adds random
// warnings to its answers; this one writes its address to a file and is silent.
package main

import (
	"flag"
	"io"
	"log"
	"net"
	"net/http"
	"os"

	"github.com/google/go-containerregistry/pkg/registry"
)

func main() {
	addressFile := flag.String("address-file", "", "file that receives host:port once the registry listens")
	flag.Parse()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	if err := writeAtomically(*addressFile, listener.Addr().String()); err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.Serve(listener, registry.New(registry.Logger(log.New(io.Discard, "", 0)))))
}

// writeAtomically keeps a reader from seeing half of the address.
func writeAtomically(path, text string) error {
	if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
