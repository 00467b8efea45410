//! Who owns the manifest.

use super::super::finding::{
    Severity::{Blocker, Ok, Warning},
    codes,
};
use super::Explanation;

pub(super) const EXPLANATIONS: &[Explanation] = &[
    Explanation {
        code: codes::OWNED_BY_HELM,
        about: "whether Helm owns the manifest, and what its next upgrade does",
        severities: &[Ok, Warning],
        meaning: "The annotations meta.helm.sh/release-name and -namespace name a Helm release. Whether it is Helm 3 or 4 shows in metadata.managedFields: manager helm with operation Update (3) or Apply (4).\n\
            Helm 3 compares old values with new ones and does not look at the cluster: upgrades leave the change alone, and the values are silently wrong. --force puts back what the values say.\n\
            Helm 4 applies on the server: as long as the values do not name MAS, upgrades leave the change alone; once they say something else than the cluster, every upgrade fails with a conflict, and nothing of it is applied. --force-conflicts puts back what the values say.",
        why: "After the migration, values that say active: false would switch MAS off as soon as somebody forces an upgrade, with all accounts in MAS already.",
        mend: "Right after each step, set the same in the values (components.matrixAuthenticationService.config.active: false after the dry run, true after the activation; in a chart around the vendor's one below its name). Or let Helm make the change: --via-owner.",
        source: "an experiment with Helm 3.22 and 4.3 against kube-apiserver 1.36",
    },
    Explanation {
        code: codes::OWNED_BY_INSTALLER,
        about: "whether the vendor's installer owns the manifest",
        severities: &[Ok, Warning],
        meaning: "The object has annotations ui.element.io/*, which the installer writes.",
        why: "Its next run writes its own version of the whole manifest. After the migration that would switch MAS off.",
        mend: "Use the installer's own migration tool (25.10.01 LTS or later). Otherwise do not run the installer again until its configuration says the same.",
        source: "the vendor's documentation of the installer; that its next run overwrites is concluded, not tried",
    },
    Explanation {
        code: codes::OWNED_BY_GITOPS,
        about: "whether Argo CD or Flux owns the manifest and puts its own version back",
        severities: &[Ok, Warning, Blocker],
        meaning: "Labels, annotations or field managers are those of Argo CD or Flux. Where their own objects may be read, this program looks whether they heal by themselves: Argo CD with syncPolicy.automated.selfHeal; a Flux Kustomization at every interval unless it is suspended; a HelmRelease with driftDetection. Then it is a blocker; otherwise the next sync puts the old version back, and it is a warning. `abort` only warns: people are locked out until it is done.",
        why: "A change in place would be gone within minutes. During the migration that means an activation that is taken back half-way; after it, MAS switched off.",
        mend: "Make the change where the manifest comes from: `dry-run --via-owner` and `activate --via-owner` show it, wait for it to arrive and follow the operator.",
        source: "the documentation of Argo CD and Flux; not tried",
    },
    Explanation {
        code: codes::APPLIED,
        about: "whether the manifest was applied from a file that says something else",
        severities: &[Ok, Warning],
        meaning: "kubectl apply keeps the file that it was last given in an annotation; server-side apply shows in metadata.managedFields. The file or manifest names the switch with another value than the step writes (or, before a dry run, names MAS).",
        why: "Client-side kubectl apply sets whatever the file names, and leaves alone what it does not. Server-side apply fails with a conflict, or puts its version back if it is forced. After the migration, active: false would switch MAS off.",
        mend: "Right after the step, write the same into that file. A file that does not name MAS is in nobody's way; add MAS to it all the same, so that it tells what runs.",
        source: "Kubernetes' documentation of declarative management and of server-side apply; for server-side apply the experiment with Helm 4",
    },
];
