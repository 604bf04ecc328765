// Command sops-oracle writes the fixtures of engine/sops: files that the real sops has encrypted, with keys made for
// these tests only, and what the real sops decrypts them to.
//
//	go run . ../../../engine/sops/tests/fixtures
//
// Needs gpg. The folder is made anew.
package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"encoding/pem"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/ssh"
)

// input is a plain file; the name decides the format.
type input struct {
	name string
	text string
}

var inputs = map[string]input{
	"yaml": {"secret.yaml", `# head comment
apiVersion: v1
kind: Secret
metadata:
    name: app
    labels: {tier: web}
data:
    user: admin
    password: "correct horse: battery"
    empty: ""
    port: 8080
    ratio: 0.25
    large: 12345678901
    debug: true
    off: no
    nothing: null
    lines: |
        first
          second
        third
    since: 2024-02-03T04:05:06Z
    # enc: about the list
    list:
        - one
        # in the list
        - 2
        - {k: v, n: [a, b]} # inline
    unicode: "grüße ☃"
    plain_unencrypted: visible
    secret_enc: hidden
# foot comment
`},
	"json": {"secret.json", `{"kind": "Secret", "data": {"user": "admin", "port": 8080, "ratio": 0.25, "debug": true, "nothing": null,
"html": "<a href='x'>&</a>", "list": ["one", 2, {"k": "v"}, []], "empty": "", "map": {}, "plain_unencrypted": "visible",
"secret_enc": "hidden"}, "z": 1e21, "a": -1.5e-7}`},
	"env": {"secret.env", "# head\nUSER=admin\nDATA_PASSWORD=correct=horse #1\nEMPTY=\nLINES=first\\nsecond\nNAME_unencrypted=visible\nNAME_enc=hidden\n"},
	"ini": {"secret.ini", "; about data\n[data]\nuser = admin\n; about password\npassword = correct horse\nport = 8080\nname_unencrypted = visible\nname_enc = hidden\n\n[other]\nx = y\n"},
	"bin": {"secret.pem", "-----BEGIN TEST-----\n\x00\x01\xff\xfe not text \x80\n-----END TEST-----\n"},
}

var formats = []string{"yaml", "json", "env", "ini", "bin"}

const multi = "a: 1\nlist: [x, y]\n---\nb: two\n# comment\nc: {d: true}\n---\ne: f\n"

// commented has comments on the lines that the rules by comment need.
const commented = `a: plain
# sops:secret
b: hidden
c:
    # sops:secret
    d: hidden
    e: plain
f: hidden # sops:secret
list:
    - plain
    # sops:secret
    - hidden
`

type keys struct {
	age1, age2, ssh, rsa, pgp string
}

// keySets are creation rules below "key_groups", without or with a threshold.
func (k keys) sets() map[string]string {
	age := func(recipient string) string { return fmt.Sprintf("age: [%q]", recipient) }
	pgp := fmt.Sprintf("pgp: [%q]", k.pgp)
	return map[string]string{
		"age":        fmt.Sprintf("key_groups: [{%s}]", age(k.age1)),
		"two-age":    fmt.Sprintf("key_groups: [{age: [%q, %q]}]", k.age2, k.age1),
		"ssh":        fmt.Sprintf("key_groups: [{%s}]", age(k.ssh)),
		"rsa":        fmt.Sprintf("key_groups: [{%s}]", age(k.rsa)),
		"pgp":        fmt.Sprintf("key_groups: [{%s}]", pgp),
		"age-pgp":    fmt.Sprintf("key_groups: [{%s, %s}]", age(k.age1), pgp),
		"groups-2-2": fmt.Sprintf("shamir_threshold: 2\n    key_groups: [{%s}, {%s}]", age(k.age1), age(k.ssh)),
		"groups-2-3": fmt.Sprintf("shamir_threshold: 2\n    key_groups: [{%s}, {%s}, {%s}]", age(k.age2), age(k.age1), age(k.ssh)),
		"groups-3-3": fmt.Sprintf("shamir_threshold: 3\n    key_groups: [{%s}, {%s}, {%s}]", age(k.age1), pgp, age(k.ssh)),
	}
}

var options = map[string]string{
	"encrypted-regex":    "encrypted_regex: '^(data|DATA.*)$'",
	"unencrypted-regex":  "unencrypted_regex: '^(kind|user|USER|metadata)$'",
	"encrypted-suffix":   "encrypted_suffix: _enc",
	"unencrypted-suffix": "unencrypted_suffix: _unencrypted",
	"mac-only-encrypted": "mac_only_encrypted: true\n    encrypted_regex: '^(data|DATA.*)$'",
	"mac-only-all":       "mac_only_encrypted: true",
}

var commentOptions = map[string]string{
	"encrypted-comment":   "encrypted_comment_regex: 'sops:secret'",
	"unencrypted-comment": "unencrypted_comment_regex: 'sops:secret'",
	"mac-only-comment":    "mac_only_encrypted: true\n    encrypted_comment_regex: 'sops:secret'",
}

type oracle struct {
	sops, out, config string
	env               []string
}

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: sops-oracle FOLDER")
	}
	out, err := filepath.Abs(os.Args[1])
	check(err)
	check(os.RemoveAll(out))
	tools, err := os.MkdirTemp("", "sops-oracle")
	check(err)
	defer os.RemoveAll(tools)
	for _, tool := range []string{"github.com/getsops/sops/v3/cmd/sops", "filippo.io/age/cmd/age-keygen"} {
		run(nil, nil, "go", "build", "-o", tools+"/", tool)
	}
	folder := filepath.Join(out, "keys")
	check(os.MkdirAll(folder, 0o755))
	home := filepath.Join(tools, "gpg")
	check(os.Mkdir(home, 0o700))
	defer exec.Command("gpgconf", "--homedir", home, "--kill", "gpg-agent").Run()
	made := keys{
		age1: ageKey(tools, filepath.Join(folder, "age1.txt")),
		age2: ageKey(tools, filepath.Join(folder, "age2.txt")),
		ssh:  sshKey(filepath.Join(folder, "id_ed25519"), false),
		rsa:  sshKey(filepath.Join(folder, "id_rsa"), true),
		pgp:  pgpKey(home, filepath.Join(folder, "pgp.asc")),
	}
	ageKey(tools, filepath.Join(folder, "age3.txt"))
	run(nil, nil, filepath.Join(tools, "age-keygen"), "-pq", "-o", filepath.Join(folder, "age-pq.txt"))
	config := filepath.Join(tools, "sops.yaml")
	env := append(os.Environ(),
		"GNUPGHOME="+home,
		"SOPS_AGE_KEY_FILE="+filepath.Join(folder, "age1.txt"),
		"SOPS_AGE_SSH_PRIVATE_KEY_FILE="+filepath.Join(folder, "id_ed25519"),
	)
	o := oracle{sops: filepath.Join(tools, "sops"), out: out, config: config, env: env}
	for set, rule := range made.sets() {
		env := o
		if set == "rsa" {
			env.env = append(env.env, "SOPS_AGE_SSH_PRIVATE_KEY_FILE="+filepath.Join(folder, "id_rsa"))
		}
		for _, format := range formats {
			env.write(format+"-"+set, inputs[format], rule)
		}
	}
	age := made.sets()["age"]
	for option, rule := range options {
		for _, format := range formats[:4] {
			o.write(format+"-"+option, inputs[format], age+"\n    "+rule)
		}
	}
	for option, rule := range commentOptions {
		o.write("yaml-"+option, input{"secret.yaml", commented}, age+"\n    "+rule)
	}
	o.write("yaml-documents", input{"secret.yml", multi}, age)
	o.write("yaml-documents-groups", input{"secret.yml", multi}, made.sets()["groups-2-3"])
	o.write("yaml-documents-mac-only", input{"secret.yml", multi}, age+"\n    "+options["mac-only-all"])
	o.write("bin-empty", input{"secret.bin", ""}, age)
	o.write("bin-text", input{"secret", "no ending, no line break"}, age)
}

// write encrypts the input into a folder of its own, beside what the real sops makes of it.
func (o oracle) write(name string, plain input, rule string) {
	check(os.WriteFile(o.config, []byte("creation_rules:\n  - "+rule+"\n"), 0o600))
	folder := filepath.Join(o.out, name)
	check(os.MkdirAll(folder, 0o755))
	encrypted := run(o.env, []byte(plain.text), o.sops, "--config", o.config, "encrypt", "--filename-override", plain.name)
	file := filepath.Join(folder, plain.name)
	check(os.WriteFile(file, encrypted, 0o644))
	decrypted := run(o.env, nil, o.sops, "decrypt", file)
	check(os.WriteFile(filepath.Join(folder, "plain"), decrypted, 0o644))
}

func ageKey(tools, file string) string {
	run(nil, nil, filepath.Join(tools, "age-keygen"), "-o", file)
	return strings.TrimSpace(string(run(nil, nil, filepath.Join(tools, "age-keygen"), "-y", file)))
}

func sshKey(file string, isRSA bool) string {
	var private any
	var public any
	if isRSA {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		check(err)
		private, public = key, key.Public()
	} else {
		key, secret, err := ed25519.GenerateKey(rand.Reader)
		check(err)
		private, public = secret, key
	}
	block, err := ssh.MarshalPrivateKey(private, "for tests only")
	check(err)
	check(os.WriteFile(file, pem.EncodeToMemory(block), 0o600))
	encoded, err := ssh.NewPublicKey(public)
	check(err)
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(encoded)))
}

func pgpKey(home, file string) string {
	env := append(os.Environ(), "GNUPGHOME="+home)
	run(env, nil, "gpg", "--batch", "--quiet", "--passphrase", "", "--quick-gen-key", "for tests only", "default", "default", "never")
	check(os.WriteFile(file, run(env, nil, "gpg", "--batch", "--armor", "--export-secret-keys"), 0o600))
	for _, line := range strings.Split(string(run(env, nil, "gpg", "--batch", "--with-colons", "--list-keys")), "\n") {
		if fields := strings.Split(line, ":"); fields[0] == "fpr" {
			return fields[9]
		}
	}
	log.Fatal("gpg lists no key")
	return ""
}

func run(env []string, stdin []byte, program string, arguments ...string) []byte {
	command := exec.Command(program, arguments...)
	command.Env = env
	if stdin != nil {
		command.Stdin = bytes.NewReader(stdin)
	}
	var stderr bytes.Buffer
	command.Stderr = &stderr
	stdout, err := command.Output()
	if err != nil {
		log.Fatalf("%s %s: %v\n%s", program, strings.Join(arguments, " "), err, stderr.String())
	}
	return stdout
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
