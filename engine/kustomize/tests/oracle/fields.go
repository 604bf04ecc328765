package main

import (
	"fmt"
	"strings"
)

func (p *project) names() string {
	return p.pick("namePrefix: pre-\n", "nameSuffix: -suf\n", "namePrefix: a-\nnameSuffix: -z\n")
}

func (p *project) namespace() string {
	return "namespace: " + p.pick("prod", "default", "other") + "\n"
}

func (p *project) labels() string {
	text := ""
	if p.chance(50) {
		text += "commonLabels:\n  team: a\n  app: shared\n"
	}
	if p.chance(60) {
		text += "labels:\n- pairs:\n    stage: prod\n    num: \"1\"\n"
		switch p.random.Intn(4) {
		case 0:
			text += "  includeSelectors: true\n"
		case 1:
			text += "  includeTemplates: true\n"
		case 2:
			text += "  fields:\n  - path: spec/extra/labels\n    kind: " + p.pick("Custom", "Deployment") + "\n    create: " + p.pick("true", "false") + "\n"
		}
	}
	if p.chance(60) || text == "" {
		text += "commonAnnotations:\n  owner: " + p.pick("me", "\"42\"", "yes-sir") + "\n"
	}
	return text
}

func (p *project) images() string {
	text := "images:\n"
	for range 1 + p.random.Intn(3) {
		text += "- name: " + p.pick("nginx", "registry:5000/team/app", "busybox", "redis", "ngin.") + "\n"
		switch p.random.Intn(5) {
		case 0:
			text += "  newTag: v2.0\n"
		case 1:
			text += "  newName: mirror.example.com/lib/image\n"
		case 2:
			text += "  digest: sha256:0123\n"
		case 3:
			text += "  newName: other\n  newTag: \"7\"\n"
		case 4:
			text += "  tagSuffix: -slim\n"
		}
	}
	return text
}

func (p *project) replicas() string {
	return fmt.Sprintf("replicas:\n- name: %s\n  count: %d\n", p.pick(apps...), p.random.Intn(9))
}

func (p *project) generators(dir string) string {
	text := ""
	if p.chance(40) {
		text += "generatorOptions:\n" + p.pick("  disableNameSuffixHash: true\n", "  labels: {gen: x}\n", "  annotations: {gen: \"1\"}\n  immutable: true\n")
	}
	p.files[dir+"/plain.txt"] = p.pick("one\ntwo\n", "no newline", "  leading\n\n   space\n", "\ttab\n", "<a>&b</a>\n", "a: b\nc: [1]\n", "trailing  \nspaces \n", "\n\nblank\n", "ünï€😀\n")
	p.files[dir+"/vars.env"] = "# comment\nA=1\n B=two words \nEMPTY=\nC\n"
	p.files[dir+"/binary.bin"] = "plain enough"
	for _, kind := range []string{"configMap", "secret"} {
		if !p.chance(70) {
			continue
		}
		text += kind + "Generator:\n"
		for i := range 1 + p.random.Intn(2) {
			name := map[string]string{"configMap": "conf", "secret": "creds"}[kind]
			if i > 0 {
				name += "2"
			}
			text += "- name: " + name + "\n"
			if !p.basics && p.chance(15) {
				text += "  namespace: " + p.pick("default", "other") + "\n"
			}
			if p.chance(70) {
				text += "  literals:\n  - x=y\n  - quoted=\"a b\"\n  - number=1\n  - equals=a=b\n"
			}
			if p.chance(50) {
				text += "  files:\n  - plain.txt\n  - renamed.key=binary.bin\n"
			}
			if p.chance(40) {
				text += "  envs:\n  - vars.env\n"
			}
			if kind == "secret" && p.chance(40) {
				text += "  type: kubernetes.io/basic-auth\n"
			}
			if p.chance(30) {
				text += "  options:\n" + p.pick("    disableNameSuffixHash: true\n", "    labels: {own: l}\n    immutable: true\n", "    annotations: {own: a}\n")
			}
			text += p.behavior(name)
		}
	}
	return text
}

// behavior fits to what exists, mostly.
func (p *project) behavior(name string) string {
	exists := p.exists[name]
	p.exists[name] = true
	switch {
	case p.chance(8):
		return "  behavior: " + p.pick("merge", "replace", "create") + "\n"
	case exists:
		return "  behavior: " + p.pick("merge", "merge", "replace") + "\n"
	default:
		return p.pick("", "  behavior: create\n")
	}
}

func (p *project) target() string {
	text := "  target:\n"
	switch p.random.Intn(6) {
	case 0:
		return text + "    kind: Deployment\n"
	case 1:
		return text + "    name: " + p.pick("web", ".*", "w.*|api", "we") + "\n"
	case 2:
		return text + "    labelSelector: " + p.pick("app=web", "app in (web,api)", "'!tier'", "app!=web,app") + "\n"
	case 3:
		return text + "    annotationSelector: note=plain\n"
	case 4:
		return text + "    group: apps\n    version: v1\n    kind: " + p.pick("Deployment|StatefulSet", "D.*") + "\n"
	default:
		return text + "    kind: Deployment\n    namespace: default\n    name: web\n"
	}
}

var mergeBodies = []string{
	"spec:\n  replicas: 5\n",
	"spec:\n  template:\n    spec:\n      containers:\n      - name: main\n        image: patched:1\n        env:\n        - name: NEW\n          value: \"1\"\n        - name: HOST\n          value: other\n",
	"spec:\n  template:\n    spec:\n      containers:\n      - name: extra\n        image: extra:1\n      - name: main\n        resources:\n          limits:\n            memory: 1Gi\n",
	"spec:\n  template:\n    spec:\n      containers:\n      - name: sidecar\n        $patch: delete\n",
	"spec:\n  template:\n    spec:\n      volumes:\n      - $patch: replace\n      - name: only\n        emptyDir: {}\n",
	"spec:\n  replicas: null\n  template:\n    metadata:\n      annotations:\n        a: b\n",
	"spec:\n  template:\n    spec:\n      containers:\n      - name: main\n        args: [--new]\n        ports:\n        - containerPort: 8080\n          name: http\n",
	"spec:\n  template:\n    spec:\n      affinity:\n        $patch: replace\n        nodeAffinity: {}\n",
	"  labels:\n    app: null\n    added: x\n  annotations:\n    note: new\n",
	"  finalizers: [a, b]\n",
	"spec:\n  template:\n    spec:\n      tolerations:\n      - key: a\n      hostAliases:\n      - ip: 1.2.3.4\n        hostnames: [a]\n      imagePullSecrets:\n      - name: creds\n",
	"spec:\n  strategy:\n    type: Recreate\n    rollingUpdate: null\n",
	"$patch: delete\n",
}

func (p *project) mergeBody() string { return mergeBodies[p.random.Intn(len(mergeBodies))] }

func (p *project) mergePatch(name string) string {
	switch p.random.Intn(5) {
	case 0:
		return "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: " + p.pick("conf", "web") + "\ndata:\n  a: null\n  new: \"2\"\n"
	case 1:
		return "apiVersion: v1\nkind: Service\nmetadata:\n  name: " + name + "\nspec:\n  ports:\n  - port: 80\n    nodePort: 30000\n  - port: 443\n    name: tls\n"
	}
	kind := p.pick("Deployment", "Deployment", "StatefulSet")
	return "apiVersion: apps/v1\nkind: " + kind + "\nmetadata:\n  name: " + name + "\n" + p.mergeBody()
}

func inline(text, indent string) string {
	return indent + strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n"+indent) + "\n"
}

func (p *project) merges(dir string) string {
	text := ""
	if p.chance(80) {
		text += "patches:\n"
		for i := range 1 + p.random.Intn(2) {
			patch := p.mergePatch(p.pick(apps...))
			if p.chance(50) {
				text += "- patch: |\n" + inline(patch, "    ")
			} else {
				name := fmt.Sprintf("patch%d.yaml", i)
				if p.chance(15) {
					patch += "---\n" + p.mergePatch(p.pick(apps...))
				}
				p.files[dir+"/"+name] = patch
				text += "- path: " + name + "\n"
			}
			if p.chance(65) {
				text += p.target()
			}
		}
	}
	if p.chance(25) || text == "" {
		p.files[dir+"/old.yaml"] = p.mergePatch(p.pick(apps...))
		text += "patchesStrategicMerge:\n- old.yaml\n"
	}
	return text
}

func (p *project) json(dir string) string {
	operations := []string{
		"- op: add\n  path: /metadata/labels/patched\n  value: \"yes\"\n",
		"- op: add\n  path: /metadata/annotations\n  value: {a: b}\n",
		"- op: add\n  path: /metadata/annotations/x~1y\n  value: z\n",
		"- op: replace\n  path: /spec/replicas\n  value: 7\n",
		"- op: add\n  path: /spec/replicas\n  value: 1500000\n",
		"- op: remove\n  path: /spec/template/spec/containers/0/image\n",
		"- op: add\n  path: /spec/template/spec/containers/-\n  value:\n    name: added\n    image: added:1\n",
		"- op: add\n  path: /spec/template/spec/containers/0\n  value: {name: first, image: x}\n",
		"- op: replace\n  path: /metadata/name\n  value: renamed\n",
		"- op: copy\n  from: /metadata/name\n  path: /spec/copied\n",
		"- op: move\n  from: /spec/selector\n  path: /spec/moved\n",
		"- op: test\n  path: /kind\n  value: Deployment\n",
		"- op: add\n  path: /spec/on\n  value: yes\n",
	}
	some := func() string {
		text := ""
		for range 1 + p.random.Intn(2) {
			text += operations[p.random.Intn(len(operations))]
		}
		return text
	}
	text := "patches:\n"
	if p.chance(50) {
		text += "- patch: |\n" + inline(some(), "    ") + p.target()
	} else {
		p.files[dir+"/ops.yaml"] = some()
		text += "- path: ops.yaml\n" + p.target()
	}
	if p.chance(20) {
		p.files[dir+"/ops.json"] = `[{"op": "add", "path": "/metadata/labels", "value": {"j": "1"}}]`
		text += "patchesJson6902:\n- path: ops.json\n  target:\n    version: v1\n    kind: " + p.pick("Service", "ConfigMap") + "\n    name: " + p.pick("web", "conf") + "\n"
	}
	return text
}

// source gives a source that exists in the basic objects, mostly.
func (p *project) source() string {
	if p.chance(10) {
		return "- sourceValue: " + p.pick("given", "\"8081\"") + "\n"
	}
	switch p.random.Intn(7) {
	case 0, 1:
		return "- source:\n    kind: ConfigMap\n    name: conf\n    fieldPath: data.host\n" + p.pick("", "    options: {delimiter: ':', index: 0}\n", "    options: {delimiter: ':', index: 1}\n")
	case 2:
		return "- source:\n    kind: " + p.pick("Service", "Deployment") + "\n    name: " + p.pick(apps...) + "\n" + p.pick("", "    fieldPath: metadata.name\n")
	case 3:
		return "- source:\n    kind: Deployment\n    name: " + p.pick(apps...) + "\n    fieldPath: " + p.pick("spec.template.spec.containers.[name=main].image", "spec.template.spec.containers.0.name", "spec.selector") + "\n"
	case 4:
		return "- source:\n    version: v1\n    kind: Service\n    name: " + p.pick(apps...) + "\n    fieldPath: " + p.pick("spec.ports.0.port", "spec.ports.[port=80].targetPort", "spec.selector.app") + "\n"
	case 5:
		return "- source:\n    kind: ConfigMap\n    name: web\n    fieldPath: data.[file.txt]\n"
	default:
		return "- source:\n    kind: " + p.pick("ConfigMap", "Service") + "\n    name: " + p.pick("conf", "web", "none") + "\n    fieldPath: " + p.pick("data.a", "spec.ports") + "\n"
	}
}

func (p *project) replacements() string {
	text := "replacements:\n"
	for range 1 + p.random.Intn(2) {
		text += p.source() + "  targets:\n"
		var paths, options []string
		switch p.random.Intn(4) {
		case 0:
			text += "  - select:\n      kind: Service\n"
			paths = []string{"spec.selector.app", "spec.ports.0.targetPort", "spec.ports.[port=80].port", "metadata.labels.copied", "spec.externalName"}
		case 1:
			text += "  - select:\n      kind: ConfigMap\n" + p.pick("", "      name: conf\n")
			paths = []string{"data.host", "data.new", "metadata.annotations.[example.com/copied]", "data.[file.txt]"}
		default:
			text += "  - select:\n      kind: " + p.pick("Deployment", "Deployment", "Deployment|StatefulSet") + "\n"
			paths = []string{
				"spec.template.spec.containers.[name=main].env.[name=HOST].value", "spec.template.spec.containers.*.image",
				"spec.template.spec.containers.0.image", "spec.template.spec.containers.[name=new].image", "metadata.labels.copied",
				"spec.template.metadata.labels.app", "spec.selector", "spec.template.spec.containers.[name=main].name", "spec.replicas"}
		}
		if p.chance(25) {
			text += "    reject:\n    - " + p.pick("name: db", "labelSelector: app=web", "kind: StatefulSet") + "\n"
		}
		text += "    fieldPaths:\n    - " + p.pick(paths...) + "\n"
		if p.chance(20) {
			text += "    - " + p.pick(paths...) + "\n"
		}
		options = []string{"create: true", "create: true", "create: true", "delimiter: '/', index: 0", "delimiter: ':', index: 1", "delimiter: '.', index: 9", "delimiter: ':', index: -1"}
		if p.chance(75) {
			text += "    options: {" + p.pick(options...) + "}\n"
		}
	}
	return text
}

func nested(p *project) {
	p.files["base/kustomization.yaml"] = p.base("base", 4) + p.maybe(p.names) + p.maybe(p.namespace) + p.maybe(func() string { return p.generators("base") })
	resources := "resources:\n- ../base\n"
	if p.chance(40) {
		p.files["second/kustomization.yaml"] = p.base("second", 3) + p.names() + p.maybe(p.labels)
		resources += "- ../second\n"
	}
	if p.chance(30) {
		p.files["item/own.yaml"] = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: own\n"
		resources += "- own.yaml\n"
	}
	text := resources + p.maybe(p.names) + p.maybe(p.namespace) + p.maybe(p.labels) + p.maybe(p.images)
	if p.chance(50) {
		text += "configMapGenerator:\n- name: conf\n  behavior: " + p.pick("merge", "replace", "create") + "\n  literals: [added=1, x=changed]\n"
	}
	if p.chance(40) {
		text += p.merges("item")
	}
	p.item(text)
}

func components(p *project) {
	component := "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n"
	p.files["comp/kustomization.yaml"] = component + p.maybe(p.names) + p.maybe(p.labels) + p.maybe(p.images) + p.maybe(func() string { return p.generators("comp") }) + p.maybe(func() string { return p.merges("comp") })
	text := p.base("item", 4) + "components:\n- ../comp\n"
	if p.chance(40) {
		p.files["comp2/kustomization.yaml"] = component + "resources:\n- extra.yaml\n" + p.maybe(p.namespace)
		p.files["comp2/extra.yaml"] = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: extra\n"
		text += "- ../comp2\n"
	}
	p.item(text, p.maybe(p.names), p.maybe(p.namespace), p.maybe(func() string { return p.generators("item") }))
}

func everything(p *project) {
	p.files["base/kustomization.yaml"] = p.base("base", 5) + p.maybe(func() string { return p.generators("base") }) + p.maybe(p.labels)
	item := "resources:\n- ../base\n"
	for _, part := range []func() string{p.names, p.namespace, p.labels, p.images, func() string { return p.merges("item") }} {
		item += p.maybe(part)
	}
	if p.chance(25) {
		item += p.replacements()
	}
	p.item(item)
}
