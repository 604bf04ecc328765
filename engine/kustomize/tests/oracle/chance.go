package main

import (
	"fmt"
	"math/rand"
	"strings"
)

// project is a folder tree in the making.
type project struct {
	random *rand.Rand
	files  map[string]string
	// basics has the objects that patches and the like want to find.
	basics bool
	// exists has the names of ConfigMaps and Secrets.
	exists map[string]bool
}

type family struct {
	count int
	make  func(*project)
}

var generated = map[string]family{
	"names":      {70, func(p *project) { p.item(p.base("item", 6), p.names()) }},
	"namespaces": {80, func(p *project) { p.item(p.base("item", 8), p.namespace(), p.maybe(p.names)) }},
	"labels":     {80, func(p *project) { p.item(p.base("item", 7), p.labels()) }},
	"images":     {50, func(p *project) { p.item(p.base("item", 5), p.images()) }},
	"replicas":   {40, func(p *project) { p.basics = true; p.item(p.base("item", 5), p.maybe(p.names), p.replicas()) }},
	"generators": {100, func(p *project) {
		p.item(p.base("item", 4), p.generators("item"), p.maybe(p.names), p.maybe(p.namespace))
	}},
	"merges":       {120, func(p *project) { p.basics = true; p.item(p.base("item", 4), p.merges("item")) }},
	"json":         {70, func(p *project) { p.basics = true; p.item(p.base("item", 4), p.json("item")) }},
	"replacements": {140, func(p *project) { p.basics = true; p.item(p.base("item", 5), p.replacements()) }},
	"nested":       {80, nested},
	"components":   {70, components},
	"everything":   {120, everything},
}

func (p *project) chance(percent int) bool { return p.random.Intn(100) < percent }

func (p *project) pick(from ...string) string { return from[p.random.Intn(len(from))] }

func (p *project) maybe(make func() string) string {
	if p.chance(40) {
		return make()
	}
	return ""
}

func (p *project) item(parts ...string) { p.files["item/kustomization.yaml"] = strings.Join(parts, "") }

// base writes manifests and gives the `resources` field.
func (p *project) base(dir string, count int) string {
	used := map[string]bool{}
	resources := "resources:\n"
	if p.basics && p.chance(92) {
		var objects []string
		for _, name := range apps {
			objects = append(objects, p.workload("Deployment", name), p.workload("StatefulSet", name), p.service(name))
			used["Deployment/"+name], used["StatefulSet/"+name], used["Service/"+name] = true, true, true
		}
		objects = append(objects, p.configMap("conf"), p.configMap("web"))
		used["ConfigMap/conf"], used["ConfigMap/web"] = true, true
		p.exists["conf"] = true
		p.files[dir+"/basics.yaml"] = strings.Join(objects, "---\n")
		resources += "- basics.yaml\n"
	}
	for i := range 1 + p.random.Intn(count) {
		var objects []string
		for range 1 + p.random.Intn(3) {
			key, text := p.object()
			if !used[key] {
				used[key] = true
				p.exists[strings.TrimPrefix(strings.TrimPrefix(key, "ConfigMap/"), "Secret/")] = true
				objects = append(objects, text)
			}
		}
		if len(objects) == 0 {
			continue
		}
		name := fmt.Sprintf("r%d.yaml", i)
		p.files[dir+"/"+name] = strings.Join(objects, "---\n")
		resources += "- " + name + "\n"
	}
	if strings.Count(resources, "\n") == 1 {
		return "resources: []\n"
	}
	return resources
}

var apps = []string{"web", "api", "db"}

func (p *project) meta(name string) string {
	text := "metadata:\n  name: " + name + "\n"
	if !p.basics && p.chance(20) {
		text += "  namespace: " + p.pick("default", "other") + "\n"
	}
	if p.chance(50) {
		text += "  labels:\n    app: " + name + "\n"
		if p.chance(30) {
			text += "    tier: \"1\"\n"
		}
	}
	if p.chance(30) {
		text += "  annotations:\n    note: " + p.pick("plain", "'quoted'", "\"8080\"") + "\n"
	}
	return text
}

func (p *project) container(name string, indent string) string {
	text := indent + "- name: " + name + "\n" + indent + "  image: " + p.pick("nginx", "nginx:1.25", "registry:5000/team/app:v1", "busybox@sha256:abcdef", "redis:7-alpine") + "\n"
	if p.chance(50) {
		text += indent + "  ports:\n" + indent + "  - containerPort: 8080\n"
		if p.chance(40) {
			text += indent + "    protocol: TCP\n"
		}
		if p.chance(30) {
			text += indent + "  - containerPort: 9090\n" + indent + "    name: metrics\n"
		}
	}
	if p.chance(50) {
		text += indent + "  env:\n" + indent + "  - name: HOST\n" + indent + "    value: " + p.pick("localhost", "\"5432\"", "db.example.com:5432") + "\n"
		if p.chance(50) {
			text += indent + "  - name: KEY\n" + indent + "    valueFrom:\n" + indent + "      " + p.pick("configMapKeyRef", "secretKeyRef") + ":\n" + indent + "        name: " + p.pick("conf", "creds") + "\n" + indent + "        key: a\n"
		}
	}
	if p.chance(30) {
		text += indent + "  envFrom:\n" + indent + "  - configMapRef:\n" + indent + "      name: conf\n" + indent + "  - secretRef:\n" + indent + "      name: creds\n"
	}
	if p.chance(30) {
		text += indent + "  args: [--a, --b=c]\n"
	}
	if p.chance(30) {
		text += indent + "  resources:\n" + indent + "    limits: {cpu: 100m, memory: 64Mi}\n"
	}
	if p.chance(30) {
		text += indent + "  volumeMounts:\n" + indent + "  - name: conf\n" + indent + "    mountPath: /etc/conf\n"
	}
	return text
}

func (p *project) pod(indent string) string {
	text := ""
	if p.chance(40) {
		text += indent + "serviceAccountName: " + p.pick(apps...) + "\n"
	}
	if p.chance(20) {
		text += indent + "initContainers:\n" + p.container("init", indent)
	}
	text += indent + "containers:\n" + p.container("main", indent)
	if p.chance(40) {
		text += p.container("sidecar", indent)
	}
	if p.chance(50) {
		text += indent + "volumes:\n" + indent + "- name: conf\n" + indent + "  configMap:\n" + indent + "    name: conf\n"
		if p.chance(50) {
			text += indent + "- name: creds\n" + indent + "  secret:\n" + indent + "    secretName: creds\n"
		}
		if p.chance(30) {
			text += indent + "- name: data\n" + indent + "  persistentVolumeClaim:\n" + indent + "    claimName: data\n"
		}
	}
	if p.chance(20) {
		text += indent + "affinity:\n" + indent + "  podAntiAffinity:\n" + indent + "    requiredDuringSchedulingIgnoredDuringExecution:\n" + indent + "    - topologyKey: host\n" + indent + "      labelSelector:\n" + indent + "        matchLabels:\n" + indent + "          app: x\n"
	}
	return text
}

func (p *project) workload(kind, name string) string {
	text := "apiVersion: apps/v1\nkind: " + kind + "\n" + p.meta(name) + "spec:\n"
	if p.chance(60) {
		text += "  replicas: 1\n"
	}
	if kind == "StatefulSet" {
		text += "  serviceName: " + name + "\n"
	}
	text += "  selector:\n    matchLabels:\n      app: " + name + "\n  template:\n    metadata:\n      labels:\n        app: " + name + "\n    spec:\n" + p.pod("      ")
	if kind == "StatefulSet" && p.chance(50) {
		text += "  volumeClaimTemplates:\n  - metadata:\n      name: data\n    spec:\n      storageClassName: fast\n"
	}
	return text
}

func (p *project) service(name string) string {
	return "apiVersion: v1\nkind: Service\n" + p.meta(name) + "spec:\n  selector:\n    app: " + name + "\n  ports:\n  - port: 80\n    targetPort: 8080\n"
}

func (p *project) configMap(name string) string {
	return "apiVersion: v1\nkind: ConfigMap\n" + p.meta(name) + "data:\n  a: \"1\"\n  host: example.com:8080\n  file.txt: |\n    one\n    two\n"
}

const rbac = "apiVersion: rbac.authorization.k8s.io/v1\nkind: "

func (p *project) object() (string, string) {
	name := p.pick(apps...)
	kind := p.pick("Deployment", "Deployment", "Deployment", "StatefulSet", "DaemonSet", "Service", "Service", "ConfigMap", "ConfigMap", "Secret", "ServiceAccount", "RoleBinding", "ClusterRoleBinding", "Role", "ClusterRole", "Ingress", "HorizontalPodAutoscaler", "CronJob", "Job", "Namespace", "Custom", "CustomResourceDefinition", "ValidatingWebhookConfiguration", "APIService", "PersistentVolumeClaim", "NetworkPolicy", "PodDisruptionBudget", "Pod")
	key := kind + "/" + name
	switch kind {
	case "Deployment", "StatefulSet", "DaemonSet":
		return key, p.workload(kind, name)
	case "Service":
		return key, p.service(name)
	case "ConfigMap":
		name = p.pick("conf", "web")
		return "ConfigMap/" + name, p.configMap(name)
	case "Secret":
		name = p.pick("creds", "web")
		return "Secret/" + name, "apiVersion: v1\nkind: Secret\n" + p.meta(name) + "type: Opaque\ndata:\n  a: YQ==\n"
	case "ServiceAccount":
		return key, "apiVersion: v1\nkind: ServiceAccount\n" + p.meta(name) + "imagePullSecrets:\n- name: creds\n"
	case "Role", "ClusterRole":
		return key, rbac + kind + "\n" + p.meta(name) + "rules:\n- apiGroups: [\"\"]\n  resources: [configmaps]\n  resourceNames: [conf, creds]\n  verbs: [get]\n"
	case "RoleBinding", "ClusterRoleBinding":
		return key, rbac + kind + "\n" + p.meta(name) + "roleRef:\n  apiGroup: rbac.authorization.k8s.io\n  kind: " + p.pick("ClusterRole", "Role") + "\n  name: " + name + "\nsubjects:\n- kind: ServiceAccount\n  name: " + p.pick("default", name) + p.pick("", "\n  namespace: default", "\n  namespace: other") + "\n- kind: User\n  name: joe\n"
	case "Ingress":
		return key, "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: " + name + "\n  annotations:\n    nginx.ingress.kubernetes.io/auth-secret: creds\nspec:\n  ingressClassName: nginx\n  tls:\n  - secretName: creds\n  rules:\n  - host: a.example.com\n    http:\n      paths:\n      - path: /\n        pathType: Prefix\n        backend:\n          service:\n            name: " + name + "\n            port:\n              number: 80\n"
	case "HorizontalPodAutoscaler":
		return key, "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\n" + p.meta(name) + "spec:\n  scaleTargetRef:\n    apiVersion: apps/v1\n    kind: Deployment\n    name: " + name + "\n  maxReplicas: 3\n"
	case "CronJob":
		return key, "apiVersion: batch/v1\nkind: CronJob\n" + p.meta(name) + "spec:\n  schedule: \"*/5 * * * *\"\n  jobTemplate:\n    spec:\n      template:\n        spec:\n          restartPolicy: Never\n" + p.pod("          ")
	case "Job":
		return key, "apiVersion: batch/v1\nkind: Job\n" + p.meta(name) + "spec:\n  template:\n    spec:\n      restartPolicy: Never\n" + p.pod("      ")
	case "Pod":
		return key, "apiVersion: v1\nkind: Pod\n" + p.meta(name) + "spec:\n" + p.pod("  ")
	case "Namespace":
		return "Namespace", "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: " + p.pick("other", "prod") + "\n"
	case "Custom":
		return key, "apiVersion: example.com/v1\nkind: Custom\n" + p.meta(name) + "spec:\n  items:\n  - name: a\n    value: 1\n  - name: b\n    value: 2.5\n  on: true\n"
	case "CustomResourceDefinition":
		return "CRD", "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: customs.example.com\nspec:\n  group: example.com\n  scope: Namespaced\n  names: {kind: Custom, plural: customs}\n  conversion:\n    strategy: Webhook\n    webhook:\n      clientConfig:\n        service:\n          name: web\n          namespace: default\n"
	case "ValidatingWebhookConfiguration":
		return key, "apiVersion: admissionregistration.k8s.io/v1\nkind: " + kind + "\nmetadata:\n  name: " + name + "\nwebhooks:\n- name: a.example.com\n  clientConfig:\n    service:\n      name: " + name + "\n      namespace: " + p.pick("default", "other") + "\n"
	case "APIService":
		return "APIService", "apiVersion: apiregistration.k8s.io/v1\nkind: APIService\nmetadata:\n  name: v1.example.com\nspec:\n  group: example.com\n  version: v1\n  service:\n    name: web\n    namespace: default\n"
	case "PersistentVolumeClaim":
		return "PVC", "apiVersion: v1\nkind: PersistentVolumeClaim\n" + p.meta("data") + "spec:\n  storageClassName: fast\n  accessModes: [ReadWriteOnce]\n"
	case "NetworkPolicy":
		return key, "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n" + p.meta(name) + "spec:\n  podSelector:\n    matchLabels:\n      app: " + name + "\n  ingress:\n  - from:\n    - podSelector:\n        matchLabels:\n          app: api\n"
	default:
		return key, "apiVersion: policy/v1\nkind: PodDisruptionBudget\n" + p.meta(name) + "spec:\n  minAvailable: 1\n  selector:\n    matchLabels:\n      app: " + name + "\n"
	}
}
