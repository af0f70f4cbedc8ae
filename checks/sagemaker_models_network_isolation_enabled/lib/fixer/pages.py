"""The pages of a run: one for each endpoint that serves a failing model, and their index."""

import json
import re
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from ..answers import each
from ..facts import Service
from .containers import notes_on_containers, obstacle_to_isolation
from .network import CHECK, NoPageError, choose_network, explain_error, judge_model
from .serving import Description, Serving, describe

_PAGE, _GUARD, _UPDATE = Path(__file__).with_name("page.md").read_text("utf-8").split("«end»\n")
_NAME_LENGTH = 63  # the most that the name of a model or an endpoint configuration has
_INDEX = """# Failing models

| region | model | endpoint | page, or why there is none |
| --- | --- | --- | --- |
"""


class _Model(NamedTuple):
    described: Description
    status: str
    faults: str
    tags: list[dict[str, str]]
    is_muted: bool


@dataclass
class Run:
    """One run of the fixer, which Prowler calls once for each failing model."""

    provider: Any
    service: Service
    folder: Path  # where the pages go
    time: str  # when it began, in digits, for the names of copies
    _regions: dict[str, "_Region"] = field(default_factory=dict)
    _index: str = _INDEX

    def fix(self, model: str, region: str) -> list[str]:
        """Write the pages of a failing model and the index, and return what to say.

        Raises:
            OSError: They cannot be written.
        """
        try:
            if region not in self._regions:
                self._regions[region] = _Region(self, region)
            outcomes = list(self._regions[region].found(model))
        except OSError:
            raise
        # Prowler would end all fixing here and say nothing of it; the next model may have a page.
        except Exception as error:
            outcomes = [("", f"{explain_error(error, f'model {model}')}.")]
        said = []
        for endpoint, found in outcomes:
            link = f"[page]({found.relative_to(self.folder)})" if isinstance(found, Path) else found
            cells = (region, model, endpoint, link)
            self._index += _lines("| ", [" | ".join(cells)], " |\n")
            said.append(f"{endpoint}: {found}" if endpoint else str(found))
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "index.md").write_text(self._index, "utf-8")
        return said


class _Region:
    """What is read and written of one region."""

    def __init__(self, run: Run, name: str) -> None:
        self.run, self.name = run, name
        self.client = run.service.regional_clients[name]
        self.serving = Serving(self.client)
        self.models: dict[str, _Model] = {}

    def found(self, name: str) -> Iterator[tuple[str, Path | str]]:
        """Yield an endpoint ("" for none) with its page, or with why there is none."""
        if self.model(name).is_muted:
            yield "", "The mutelist mutes the finding."
            return
        endpoints = self.serving.endpoints_of(name)
        yield from ((one.name, self.write(one)) for one in endpoints)
        components = self.serving.components.items()
        others = [
            *(f"Update inference component {c} by hand." for c, of in components if name in of),
            *(f"What else serves it is not all known: {u}." for u in self.serving.unread),
        ]
        none = "No endpoint is seen to serve it; batch transform and pipelines are not seen."
        if not (endpoints or others):
            others = [none]
        yield from (("", other) for other in others)

    def model(self, name: str) -> _Model:
        """Return a model with the check's verdict on it; AWS's errors are raised."""
        if name not in self.models:
            described = describe(self.client, "model", name)
            arn = described.answer["ModelArn"]
            tags = list(each(self.client, "list_tags", "Tags", ResourceArn=arn))
            # Prowler calls the fixer for muted findings too.
            finding = SimpleNamespace(
                check_metadata=SimpleNamespace(CheckID=CHECK),
                **{"region": self.name, "resource_id": name, "resource_tags": tags},
            )
            mutelist, account = self.run.provider.mutelist, self.run.service.audited_account
            muted = bool(mutelist.mutelist and mutelist.is_finding_muted(finding, account))
            verdict = judge_model(self.run.service, self.name, described.answer)
            self.models[name] = _Model(described, *verdict, tags, muted)
        return self.models[name]

    def write(self, endpoint: Description) -> Path | str:
        """Write the page of an endpoint and return where it is, or return why there is none."""
        try:
            text = self.page(endpoint)
        except NoPageError as error:
            return f"no page, because {error}"
        except (ClientError, BotoCoreError) as error:
            return f"no page, because {explain_error(error, 'what it serves')}."
        path = self.run.folder / self.name / f"{endpoint.name}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        return path

    def page(self, endpoint: Description) -> str:
        """Return the page of an endpoint."""
        config = self.config(endpoint)
        models = [self.model(name) for name in config.models]
        originals = [config, *(model.described for model in models)]
        for one in originals:
            if one.created > endpoint.answer["LastModifiedTime"].timestamp():
                raise NoPageError(
                    f"its {one.kind} {one.name} was made anew after its last deployment, so it is "
                    "not known what it runs. Deploy it again, and scan again."
                )
        failing = [model for model in models if model.status == "FAIL" and not model.is_muted]
        rows, notes, copies, names = [], [], [], {}
        for described, _, faults, tags, _ in failing:
            if why := obstacle_to_isolation(described):
                raise NoPageError(why)
            args = (self.run.service, self.name, described.answer, self.run.provider.fixer_config)
            network, origin = choose_network(*args)
            name = names[described.name] = self.copy_name(described.name)
            ids = ", ".join([*network["Subnets"], *network["SecurityGroupIds"]])
            rows.append(f"{described.name} | {faults} | {name} | {ids}: {origin}")
            notes += [
                f"Tag of {described.name}: {_code(t['Key'])} = {_code(t['Value'])}" for t in tags
            ]
            notes += notes_on_containers(described)
            change = {"ModelName": name, "EnableNetworkIsolation": True, "VpcConfig": network}
            copies.append(_copy(described, change))
        new_config = self.copy_name(config.name)
        copies.append(_copy(config, {"EndpointConfigName": new_config}))
        deployment = endpoint.sent.get("LastDeploymentConfig") or {}
        alarms = (deployment.get("AutoRollbackConfiguration") or {}).get("Alarms") or ()
        policy = {k: v for k, v in deployment.items() if k != "AutoRollbackConfiguration"}
        now = {one["VariantName"]: one.get("CurrentInstanceCount") for one in endpoint.variants}
        values = {
            "account": self.run.service.audited_account,
            "region": self.name,
            "endpoint": endpoint.name,
            "config": config.name,
            "new_config": new_config,
            "day": "-".join((self.run.time[:4], self.run.time[4:6], self.run.time[6:8])),
            "rows": _lines("| ", rows, " |"),
            "instances": ", ".join(
                f"{now.get(one['VariantName']) or one.get('InitialInstanceCount')} x "
                f"{one.get('InstanceType', 'instance pools')}"
                for one in config.variants
            ),
            "policy": _code(json.dumps(policy)) if policy else "none",
            "alarms": ", ".join(_code(alarm["AlarmName"]) for alarm in alarms) or "none",
            "notes": _lines("- ", notes) or "- nothing",
            "variants": shlex.join(
                f"endpoint/{endpoint.name}/variant/{one['VariantName']}" for one in config.variants
            ),
            "names": json.dumps(names),
            "copies": "\n".join(copies),
            "made": "\n".join(
                shlex.join(["is_made", one.kind, one.name, str(one.created)]) for one in originals
            ),
        }
        values["guard"] = _fill(_GUARD, values)
        for way, kept in (("move", deployment), ("back", policy)):
            option = f" --deployment-config {shlex.quote(json.dumps(kept))}" if kept else ""
            values[way] = _fill(_UPDATE, {"option": option})
        return _fill(_PAGE, values)

    def config(self, endpoint: Description) -> Description:
        """Return the configuration of an endpoint that can be updated to another one."""
        status, name = endpoint.answer["EndpointStatus"], endpoint.configs[0]
        config = self.serving.configs.get(name)
        if status == "Failed":
            # "DeleteEndpoint is the only operation that can be performed" (DescribeEndpoint).
            raise NoPageError("it is Failed, and can only be deleted.")
        if status != "InService" or len(endpoint.configs) > 1:
            raise NoPageError(f"it is {status}. Run this again when it is InService.")
        if not config:
            what = f"its configuration {name} could not be read"
            raise NoPageError(f"{what}. Update it to one that is there.")
        if any("ServerlessConfig" in variant for variant in config.variants):
            what = "it is serverless, which AWS does not isolate"
            raise NoPageError(f"{what}. Serve the model from instances.")
        return config

    def copy_name(self, name: str) -> str:
        """Return a name that is free; one that must be cut has a digest of the whole."""
        suffix = f"-isolated-{self.run.time}"
        if len(name) + len(suffix) > _NAME_LENGTH:
            suffix = f"-{sha256(name.encode()).hexdigest()[:8]}{suffix}"
        return name[: _NAME_LENGTH - len(suffix)].rstrip("-") + suffix


def _copy(one: Description, change: dict[str, Any]) -> str:
    """Return the command that copies a model or a configuration: see the block Copy."""
    words = ["copy", one.kind, one.name, str(one.created)]
    words += map(json.dumps, (sorted(one.settings), change))
    if one.kind == "model":  # its environment is for no command line, which others could see
        several = "containers" if one.sent.get("Containers") else "primary-container"
        words += [f"--{several}", "file:///dev/stdin"]
    return shlex.join(words)


def _code(text: str) -> str:
    """Return what anybody may have written, so that Markdown shows it as it stands."""
    return f"`{text.replace('`', ' ')}`"


def _lines(start: str, texts: Iterable[str], end: str = "") -> str:
    return "\n".join(f"{start}{one_line(text)}{end}" for text in texts)


def one_line(text: str) -> str:
    """Return a text in one line that a terminal shows."""
    return "".join(c if c.isprintable() else " " for c in " ".join(text.split()))


def _fill(template: str, values: dict[str, str]) -> str:
    """Fill in the «names» of a template; a «'name» is quoted for the shell."""

    def value(found: re.Match[str]) -> str:
        return shlex.quote(values[found[2]]) if found[1] else values[found[2]]

    return re.sub("«('?)([a-z_]+)»", value, template.rstrip("\n"))
