#!/usr/bin/python
"""The work of one run, as the file ESS_MAS_BEHAVIOUR orders it, and the truth about it in the file ESS_MAS_TRUTH.

Stands in for ESS Classic's updater, and for operator_sdk.util.k8s_status, with which that one reports.
"""

import json
import os
import time

from ansible.module_utils.basic import AnsibleModule

RUNS = "/tmp/ansible-operator/runner/matrix.element.io/v1alpha2/ElementDeployment"
AVAILABLE = {"type": "Available", "reason": "Successful", "message": "All components are available"}


def mas_of(deployment):
    return deployment.get("spec", {}).get("components", {}).get("matrixAuthenticationService")


def kind_of(deployment):
    mas = mas_of(deployment)
    if mas is None:
        return "plain"
    return "activation" if mas.get("config", {}).get("active") is True else "rehearsal"


def note(what, **more):
    line = json.dumps({"what": what, "at": time.time(), **more}) + "\n"
    # One write of a short line to a file opened for appending is never mixed with another one.
    with open(os.environ["ESS_MAS_TRUTH"], "a", encoding="utf-8") as truth:
        truth.write(line)


def deployment_of(meta):
    """The object that the operator handed to this run, as it did."""
    path = os.path.join(RUNS, meta["namespace"], meta["name"], "env", "extravars")
    with open(path, encoding="utf-8") as file:
        return json.load(file)["_matrix_element_io_elementdeployment"]


def report(meta, mas_active):
    """Like k8s_status: reads the object, changes its status, and writes it for the version that was read."""
    from kubernetes import client, config

    config.load_kube_config(os.environ["K8S_AUTH_KUBECONFIG"])
    api = client.CustomObjectsApi()
    names = ("matrix.element.io", "v1alpha2", meta["namespace"], "elementdeployments", meta["name"])
    now = api.get_namespaced_custom_object(*names)
    conditions = now.get("status", {}).get("conditions", [])
    if not any(one["type"] == "Available" and one["status"] == "True" for one in conditions):
        moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        conditions = [one for one in conditions if one["type"] != "Available"]
        conditions.append({**AVAILABLE, "status": "True", "lastTransitionTime": moment})
    body = {
        "metadata": {"resourceVersion": now["metadata"]["resourceVersion"]},
        "status": {"conditions": conditions, "mas_active": mas_active},
    }
    api.patch_namespaced_custom_object_status(*names, body)


def main():
    module = AnsibleModule(
        argument_spec={
            "stage": {"type": "str", "required": True},
            "object": {"type": "dict", "required": True},
            # NAME of KIND, from the first stage on.
            "run": {"type": "str"},
        }
    )
    stage, meta, run = module.params["stage"], module.params["object"], module.params["run"]
    deployment = None
    if stage == "work":
        deployment = deployment_of(meta)
        run = f"run-{time.time_ns()} of {kind_of(deployment)}"
    kind = run.rsplit(" ", 1)[1]
    with open(os.environ["ESS_MAS_BEHAVIOUR"], encoding="utf-8") as file:
        behaviour = json.load(file)
    outcome = behaviour[kind]

    def fail(message):
        note("failed", run=run, message=message)
        module.fail_json(msg=message)

    if stage == "work":
        version = deployment["metadata"]["resourceVersion"]
        note("started", run=run, version=version, spec=deployment["spec"])
        time.sleep(behaviour["seconds"])
        if outcome == "fail":
            fail(f"{kind} cannot go on ({run})")
    elif stage == "hidden" and outcome == "censored":
        fail(f"a secret of {run}")
    elif stage == "report":
        try:
            report(meta, kind == "activation")
        except Exception as error:  # Whatever it is, the run fails by it.
            fail(f"the status could not be written: {type(error).__name__} ({run})")
        note("reported", run=run)
    elif stage == "finish":
        if outcome == "late":
            fail(f"{kind} failed at its end ({run})")
        note("good", run=run)
    module.exit_json(changed=stage == "report", run=run)


if __name__ == "__main__":
    main()
