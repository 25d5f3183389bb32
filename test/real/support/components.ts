/** A program that `go build` makes out of the module in `test/real/<folder>`. */
export interface GoComponent {
  readonly kind: "go";
  readonly folder: string;
  readonly packagePath: string;
  readonly program: string;
}

/** A program that pip installs into a virtual environment of its own, from `test/real/<folder>/requirements.txt`. */
export interface PythonComponent {
  readonly kind: "python";
  readonly folder: string;
  readonly program: string;
}

export type Component = GoComponent | PythonComponent;

/** The real programs that kubeassume is tested against. Their versions are those of the pinned files in each folder. */
export const COMPONENTS = {
  "kube-apiserver": {
    kind: "go",
    folder: "kubernetes",
    packagePath: "k8s.io/kubernetes/cmd/kube-apiserver",
    program: "kube-apiserver",
  },
  kubectl: { kind: "go", folder: "kubernetes", packagePath: "k8s.io/kubernetes/cmd/kubectl", program: "kubectl" },
  etcd: { kind: "go", folder: "etcd", packagePath: "go.etcd.io/etcd/server/v3", program: "etcd" },
  versitygw: {
    kind: "go",
    folder: "versitygw",
    packagePath: "github.com/versity/versitygw/cmd/versitygw",
    program: "versitygw",
  },
  "fake-gcs-server": { kind: "go", folder: "fake-gcs-server", packagePath: "github.com/fsouza/fake-gcs-server", program: "fake-gcs-server" },
  moto: { kind: "python", folder: "moto", program: "moto_server" },
  openbao: { kind: "python", folder: "openbao", program: "bao" },
  awscli: { kind: "python", folder: "awscli", program: "aws" },
  "google-auth": { kind: "python", folder: "google-auth", program: "python" },
} as const satisfies Record<string, Component>;

export type ComponentName = keyof typeof COMPONENTS;

export const COMPONENT_NAMES = Object.keys(COMPONENTS) as ComponentName[];
