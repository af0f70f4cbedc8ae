"""`make app API=…`: the plugin in a self-hosted Prowler App, tried through its REST API and worker.

For a new release of the App; no part of `make test` or of CI. It runs an App that is installed
already, on loopback and with nothing of it changed: the REST API by gunicorn, the scans by a Celery
worker, with a PostgreSQL and a Redis of its own, which it stops again. It scans the demo's account
with everything that Prowler has, first without and then with the plugin's folder on the worker's
`PYTHONPATH`, and then with our checks and every call of SageMaker refused. It prints what the
App then has, and ends with 1 if the findings of our checks are not the demo's or those of another
check have changed. The lines are in build/app/report.txt too, beside the logs.

What it needs:
    API: the folder `api` of Prowler's repository, with the virtual environment `.venv` in it that
        `uv sync` makes there, as its README says. Its pyproject.toml takes Prowler from GitHub:
        without access to that, put a release of Prowler there (`prowler==5.40.0`), leave out
        the group dev, delete uv.lock, and give `--no-install-project`.
    PostgreSQL's programs (Debian: postgresql) and redis-server. To root also the user `postgres`,
        whom PostgreSQL runs as, and who must be able to enter the project's folder.
    Some 15 minutes on two idle cores, and 5 GB of memory. Neo4j is not needed: attack paths are
        left out.
"""

import csv
import io
import json
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from socket import socket
from typing import Any
from urllib.parse import urlencode

from werkzeug.wrappers import Response

from ..embedded import account
from ..embedded.installation import CHECKS, ROOT, build_wheel, offline_pip
from ..embedded.server import Answer, Call, EmbeddedAWS, error, refuse
from .frameworks import FOLDER, read

USER = {"email": "auditor@prowler-self-hosted.org", "password": secrets.token_urlsafe(24) + "Aa1!"}
NAMES = [path.stem for path in sorted(FOLDER.glob("*.json"))]
SOP = "sop_sagemaker_network_isolation_aws"
WORK = ROOT / "build" / "app"
# A check that passes in every region. A region without a PASS or FAIL has no compliance in the App,
# and no user's scan is of our check alone.
BESIDE = "eventbridge_bus_exposed"
# The line of the App's docker-entrypoint.sh, but for the queue of attack paths.
QUEUES = "celery,scans,scan-reports,deletion,backfill,overview,integrations,compliance"
WORKER = f"celery -A config.celery worker -l info -Q {QUEUES} -E --max-tasks-per-child 1"
# A scan of some checks alone is what the REST API has no way to ask for, so this makes it as the
# API makes a whole one.
SCAN_OF_CHECKS = """
import sys, uuid, django
django.setup()
from api.db_utils import rls_transaction
from api.models import Provider, Scan
from tasks.tasks import create_scan_task_record, perform_scan_task
provider, name, *checks = sys.argv[1:]
tenant = str(Provider.all_objects.using("admin").get(pk=provider).tenant_id)
task = str(uuid.uuid4())
with rls_transaction(tenant):
    scan = Scan.objects.create(
        tenant_id=tenant, name=name, provider_id=provider, trigger="manual", state="available",
        task=create_scan_task_record(tenant, task),
    )
asked = {"tenant_id": tenant, "scan_id": str(scan.id), "provider_id": provider}
perform_scan_task.apply_async(kwargs={**asked, "checks_to_execute": checks}, task_id=task)
print(scan.id)
"""


FRAMEWORKS = """
import django
django.setup()
from api.compliance import get_compliance_frameworks
print(*get_compliance_frameworks("aws"))
"""


def what_is_missing(api: Path) -> Iterator[str]:
    """Yield a sentence for each thing that a trial needs and that is not there.

    Args:
        api: The folder of the App's API.
    """
    if not (api / ".venv" / "bin" / "gunicorn").is_file():
        yield f"{api}/.venv has no gunicorn. Install the App's API there, as its README says."
    if not postgres_programs():
        yield "There is no /usr/lib/postgresql/*/bin. Install PostgreSQL."
    if not shutil.which("redis-server"):
        yield "There is no redis-server on the PATH. Install Redis."
    if os.geteuid() == 0:
        yield from what_postgres_is_missing()


def what_postgres_is_missing() -> Iterator[str]:
    """Yield a sentence for each thing that keeps root from running PostgreSQL as `postgres`."""
    try:
        pwd.getpwnam("postgres")
    except KeyError:
        yield (
            "There is no user postgres, and PostgreSQL refuses to run as root. Make the user, or "
            "run this as another user than root."
        )
        return
    for folder in (WORK, *WORK.parents):
        if folder.is_dir() and not folder.stat().st_mode & 0o001:
            yield f"The user postgres cannot enter {folder}. Allow it: chmod o+x {folder}."


def postgres_programs() -> list[Path]:
    """Return the folders of PostgreSQL's programs, the newest last."""
    return sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parts[-2]))


def free_port() -> int:
    """Return a port of loopback that nothing listens on."""
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def few_regions(call: Call, _: Answer) -> Response | None:
    """A fault: the account has the demo's regions alone, so that a full scan takes minutes."""
    if call.api != "DescribeRegions":
        return None
    items = "".join(
        f"<item><regionName>{region}</regionName><optInStatus>opt-in-not-required</optInStatus></item>"
        for region in account.REGIONS
    )
    xml = (
        "<DescribeRegionsResponse xmlns='http://ec2.amazonaws.com/doc/2016-11-15/'>"
        f"<requestId>0</requestId><regionInfo>{items}</regionInfo></DescribeRegionsResponse>"
    )
    return Response(xml, content_type="text/xml")


def refuse_what_moto_cannot(call: Call, answer: Answer) -> Response:
    """A fault: what moto has no answer to is refused, as where a permission is missing."""
    try:
        given = answer()
    except Exception:  # moto raises whatever it is not made for
        given = Response(status=500)
    if given.status_code < 500:
        return given
    if call.service == "ec2" or "Action" not in call.parameters:
        refused = refuse(call, answer)
        assert refused
        return refused
    xml = "<Error><Type>Sender</Type><Code>AccessDenied</Code><Message>refused</Message></Error>"
    return Response(f"<ErrorResponse>{xml}</ErrorResponse>", 403, content_type="text/xml")


def refuse_sagemaker(call: Call, answer: Answer) -> Response | None:
    """A fault: every call of SageMaker is refused."""
    if call.service != "sagemaker":
        return None
    return error("AccessDeniedException", f"not authorized: sagemaker:{call.api}")(call, answer)


class App:
    """A Prowler App on loopback.

    Attributes:
        api: Its folder `api`.
        work: A folder for all that it writes.
        environment: The variables of all its processes.
        token: The user's.
        provider: The id of the account's provider.
    """

    def __init__(self, api: Path, work: Path, aws: EmbeddedAWS) -> None:
        self.api, self.work = api, work
        self.token = self.provider = ""
        self.ports = {name: free_port() for name in ("postgres", "redis", "api")}
        self.environment = {
            "HOME": str(work),
            "PATH": f"{api}/.venv/bin:/usr/bin:/bin",
            "AWS_ENDPOINT_URL": aws.url,
            "AWS_EC2_METADATA_DISABLED": "true",
            "DJANGO_SETTINGS_MODULE": "config.django.production",
            "DJANGO_ALLOWED_HOSTS": "localhost,127.0.0.1",
            "DJANGO_BIND_ADDRESS": "127.0.0.1",
            "DJANGO_PORT": str(self.ports["api"]),
            "DJANGO_WORKERS": "1",
            "DJANGO_LOGGING_FORMATTER": "human_readable",
            "DJANGO_MANAGE_DB_PARTITIONS": "True",
            "DJANGO_SENTRY_DSN": "",
            "DJANGO_ACCESS_TOKEN_LIFETIME": "600",
            "DJANGO_SECRETS_ENCRYPTION_KEY": urlsafe_b64encode(secrets.token_bytes(32)).decode(),
            "DJANGO_TMP_OUTPUT_DIRECTORY": str(work / "output"),
            "POSTGRES_HOST": "127.0.0.1",
            "POSTGRES_PORT": str(self.ports["postgres"]),
            "POSTGRES_ADMIN_USER": "prowler_admin",
            "POSTGRES_ADMIN_PASSWORD": "unused",
            "POSTGRES_USER": "prowler",
            "POSTGRES_PASSWORD": "unused",
            "POSTGRES_DB": "prowler_db",
            "VALKEY_SCHEME": "redis",
            "VALKEY_HOST": "127.0.0.1",
            "VALKEY_PORT": str(self.ports["redis"]),
            "VALKEY_DB": "0",
            "NEO4J_HOST": "127.0.0.1",
            "NEO4J_PORT": "9",  # the discard port: nothing is there
            "NEO4J_USER": "neo4j",
            "NEO4J_PASSWORD": "unused",
        }

    def python(self, *arguments: str, **variables: str) -> str:
        """Run the App's Python in its folder and return what it printed.

        Args:
            arguments: The command line after `python`.
            variables: Environment variables to set.

        Raises:
            RuntimeError: It ended with another code than 0.
        """
        done = subprocess.run(
            [self.api / ".venv" / "bin" / "python", *arguments],
            cwd=self.api / "src" / "backend",
            env={**self.environment, **variables},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{arguments[:3]} failed:\n{done.stderr[-3000:]}")
        return done.stdout

    @contextmanager
    def started(self, name: str, *command: str | Path, **variables: str) -> Iterator[int]:
        """Run a process of the App and its log beside it; yield its id, and stop it at the end."""
        with (self.work / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                [str(part) for part in command],
                cwd=self.api / "src" / "backend",
                env={**self.environment, **variables},
                stdout=log,
                stderr=log,
            )
            try:
                yield process.pid
            finally:
                process.terminate()
                process.wait(60)

    @contextmanager
    def postgres(self) -> Iterator[None]:
        """Make a new cluster and have it run. As root it belongs to the user `postgres`."""
        programs = postgres_programs()[-1]
        data, root = self.work / "postgres", os.geteuid() == 0
        data.mkdir()
        if root:
            shutil.chown(data, "postgres")
        as_user: dict[str, Any] = {"user": "postgres"} if root else {}

        def run(program: str, *arguments: str) -> None:
            command = [str(programs / program), *arguments]
            subprocess.run(command, check=True, cwd="/", stdout=subprocess.DEVNULL, **as_user)

        run("initdb", "-D", f"{data}/cluster", "-U", "prowler_admin", "--auth=trust")
        options = f"-p {self.ports['postgres']} -c listen_addresses=127.0.0.1 -k {data}"
        cluster = ("-D", f"{data}/cluster", "-w", "-l", f"{data}/log")
        run("pg_ctl", *cluster, "-o", options, "start")
        try:
            address = ("-h", "127.0.0.1", "-p", str(self.ports["postgres"]), "-U", "prowler_admin")
            run("createdb", *address, "prowler_db")
            yield
        finally:
            run("pg_ctl", *cluster, "-m", "fast", "stop")

    def redis(self) -> AbstractContextManager[int]:
        """Have a Redis run that writes nothing to a disk; yield its process id."""
        program = shutil.which("redis-server") or "redis-server"
        options = ("--port", str(self.ports["redis"]), "--bind", "127.0.0.1", "--save", "")
        return self.started("redis", program, *options, "--dir", self.work)

    @contextmanager
    def serving(self, plugin: Path) -> Iterator[None]:
        """Have the API run, with the plugin on its `PYTHONPATH`, and a user in it."""
        program = self.api / ".venv" / "bin" / "gunicorn"
        arguments = ("-c", "config/guniconf.py", "config.asgi:application")
        with self.started("api", program, *arguments, PYTHONPATH=str(plugin)):
            wait_for("the API", lambda: self.status("/health/live", root=True) == 200)
            self.sign_up()
            yield

    def working(self, plugin: Path | None) -> AbstractContextManager[int]:
        """Have a worker run, with the plugin on its `PYTHONPATH` if given; yield its process id."""
        path = {"PYTHONPATH": str(plugin)} if plugin else {}
        python = self.api / ".venv" / "bin" / "python"
        variables = {"DJANGO_APP_COMPONENT": "worker", **path}
        return self.started("worker", python, "-m", *WORKER.split(), **variables)

    def ask(
        self, method: str, path: str, body: Any = None, root: bool = False
    ) -> tuple[int, bytes]:
        """Return the status and the body of the REST API's answer."""
        base = f"http://127.0.0.1:{self.ports['api']}" + ("" if root else "/api/v1")
        data = json.dumps({"data": body}).encode() if body else None
        request = urllib.request.Request(base + path, data, method=method)
        if not root:
            request.add_header("Content-Type", "application/vnd.api+json")
            request.add_header("Accept", "application/vnd.api+json")
        if self.token:
            request.add_header("Authorization", f"Bearer {self.token}")
        try:
            with urllib.request.urlopen(request, timeout=300) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read()
        except OSError:  # not up yet
            return 0, b""

    def status(self, path: str, root: bool = False) -> int:
        """Return the status of a GET."""
        return self.ask("GET", path, root=root)[0]

    def data(self, method: str, path: str, body: Any = None) -> Any:
        """Return the `data` of an answer that must be there."""
        status, text = self.ask(method, path, body)
        if status not in (200, 201, 202):
            raise RuntimeError(f"{method} {path}: {status} {text[:500]!r}")
        return json.loads(text)["data"]

    def pages(self, path: str, **query: str) -> Iterator[dict[str, Any]]:
        """Yield what all pages of a list have."""
        number = 1
        while True:
            asked = urlencode({**query, "page[size]": "100", "page[number]": str(number)})
            status, text = self.ask("GET", f"{path}?{asked}")
            if status != 200:
                raise RuntimeError(f"GET {path}?{asked}: {status} {text[:500]!r}")
            answer = json.loads(text)
            yield from answer["data"]
            if number >= answer.get("meta", {}).get("pagination", {"pages": 1})["pages"]:
                return
            number += 1

    def sign_up(self) -> None:
        """Make a user and the account's provider."""
        named = {"name": "Auditor", **USER}
        self.data("POST", "/users", {"type": "users", "attributes": named})
        token = self.data("POST", "/tokens", {"type": "tokens", "attributes": USER})
        self.token = token["attributes"]["access"]
        attributes: dict[str, Any] = {"provider": "aws", "uid": account.ACCOUNT, "alias": "demo"}
        made = self.data("POST", "/providers", {"type": "providers", "attributes": attributes})
        self.provider = made["id"]
        keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
        attributes = {"secret_type": "static", "name": "demo", "secret": keys}
        secret = {
            "type": "provider-secrets",
            "attributes": attributes,
            "relationships": {"provider": self.relation},
        }
        self.data("POST", "/providers/secrets", secret)

    @property
    def relation(self) -> dict[str, Any]:
        """The provider, as another object refers to it."""
        return {"data": {"type": "providers", "id": self.provider}}

    def scan(self, name: str, worker: int, *checks: str) -> "Scan":
        """Scan the account, wait until its reports are written, and return the scan.

        Args:
            name: The scan's.
            worker: The worker's process id.
            checks: The checks to run; without one, the whole of Prowler by the REST API.
        """
        cpu = cpu_seconds(worker)
        if checks:
            scan = self.python("-c", SCAN_OF_CHECKS, self.provider, name, *checks).split()[-1]
        else:
            body = {
                "type": "scans",
                "attributes": {"name": name},
                "relationships": {"provider": self.relation},
            }
            self.data("POST", "/scans", body)
            scans = self.pages("/scans", sort="-inserted_at")
            scan = next(scan["id"] for scan in scans if scan["attributes"]["name"] == name)

        def attributes() -> dict[str, Any]:
            found: dict[str, Any] = self.data("GET", f"/scans/{scan}")["attributes"]
            return found

        wait_for(
            f"the scan {name}", lambda: attributes()["state"] not in ("available", "executing")
        )
        scan_cpu = cpu_seconds(worker) - cpu
        # The tasks after a scan are several, and no state tells when the last one is done.
        wait_for("its reports", lambda: cpu_is_idle(worker))
        said = attributes()
        report(
            f"  {name}: {said['state']} in {said['duration']} s; CPU seconds of the worker: "
            f"{scan_cpu:.0f}, and {cpu_seconds(worker) - cpu:.0f} with the tasks after it"
        )
        if said["state"] != "completed":
            raise RuntimeError(f"The scan {name} is {said['state']}; see {self.work}/worker.log")
        return Scan(self, scan)

    def attributes(self, framework: str) -> tuple[int, bytes]:
        """Return the status and body of a framework's attributes."""
        asked = urlencode({"filter[compliance_id]": framework})
        return self.ask("GET", f"/compliance-overviews/attributes?{asked}")


class Scan:
    """A scan that the App has made, by its id."""

    def __init__(self, app: App, scan: str) -> None:
        self.app, self.id = app, scan

    def findings(self, **filters: str) -> list[dict[str, Any]]:
        """Return the attributes of its findings; `check_id="…"` limits them."""
        query = {f"filter[{key}]": value for key, value in filters.items()}
        found = self.app.pages("/findings", **{"filter[scan]": self.id, **query})
        return [finding["attributes"] for finding in found]

    def overviews(self) -> dict[str, dict[str, Any]]:
        """Return what the compliance overview has of our frameworks."""
        found = self.app.pages("/compliance-overviews", **{"filter[scan_id]": self.id})
        by_name = {overview["id"]: overview["attributes"] for overview in found}
        return {name: by_name[name] for name in NAMES if name in by_name}

    def download(self, framework: str) -> tuple[int, bytes]:
        """Return the status and the body of the download of a framework's CSV."""
        return self.app.ask("GET", f"/scans/{self.id}/compliance/{framework}")


def report(line: str) -> None:
    """Print a line at once, and keep it apart from what moto prints of unknown services."""
    print(line, flush=True)
    with (WORK / "report.txt").open("a", encoding="utf-8") as file:
        print(line, file=file)


def wait_for(what: str, ready: Any) -> None:
    """Wait until `ready()` is true, for at most twenty minutes."""
    for _ in range(600):
        if ready():
            return
        time.sleep(2)
    raise RuntimeError(f"{what} did not come within twenty minutes")


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process and of all its children, those that ended included."""
    total = 0.0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:  # it ended meanwhile
            continue
        if int(stat.parent.name) == pid or int(fields[1]) == pid:
            total += sum(int(ticks) for ticks in fields[11:15])
    return total / os.sysconf("SC_CLK_TCK")


def cpu_is_idle(worker: int) -> bool:
    """Return whether the worker did nothing to speak of for twenty seconds."""
    before = cpu_seconds(worker)
    time.sleep(20)
    return cpu_seconds(worker) - before < 1


def identity(finding: dict[str, Any]) -> tuple[str, str, str]:
    """Return what a finding of a full scan is compared by."""
    return finding["uid"], finding["status"], finding["status_extended"]


def main(api: Path) -> int:
    """Run the trial and return the exit code."""
    work = WORK
    shutil.rmtree(work, ignore_errors=True)
    (work / "output").mkdir(parents=True)
    missing = list(what_is_missing(api))
    if missing:
        sys.exit("\n".join(missing))
    plugin = work / "plugin"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(plugin)]
    wheel = str(build_wheel(work / "dist"))
    subprocess.run([*pip, wheel], check=True, env={**os.environ, **offline_pip()})
    with EmbeddedAWS() as aws, ExitStack() as running:
        expected = account.build(aws)
        aws.faults.insert(0, few_regions)
        aws.faults.append(refuse_what_moto_cannot)
        app = App(api, work, aws)
        running.enter_context(app.postgres())
        running.enter_context(app.redis())
        for command in ("check_and_fix_socialaccount_sites_migration", "migrate"):
            app.python("manage.py", command, "--database", "admin")
        for path in ("", str(plugin)):
            known = set(app.python("-c", FRAMEWORKS, PYTHONPATH=path).split())
            report(
                f"PYTHONPATH={path!r}: the API knows {len(known & set(NAMES))} of our frameworks"
            )
        running.enter_context(app.serving(plugin))
        report("A worker without the plugin:")
        with app.working(None) as worker:
            before = app.scan("without", worker).findings()
        report("A worker with the plugin:")
        with app.working(plugin) as worker:
            full = app.scan("with", worker)
            after = full.findings()
            wrong = compare([f for f in after if f["check_id"] in CHECKS], expected)
            wrong += others(before, after)
            show(app, full)
            report("A worker with the plugin, and every call of SageMaker refused:")
            with aws.failing(refuse_sagemaker):
                refused = app.scan("refused", worker, *CHECKS, BESIDE)
            for check in CHECKS:
                statuses = sorted(f["status"] for f in refused.findings(check_id=check))
                report(f"  findings of {check}: {', '.join(statuses)}")
            for name, overview in refused.overviews().items():
                report(f"  {name}: {counts(overview)}")
    for line in wrong:
        report(f"Wrong: {line}")
    return 1 if wrong else 0


def compare(findings: list[dict[str, Any]], expected: dict[Any, tuple[str, str]]) -> list[str]:
    """Return what the App's findings of our checks have other than the demo's account."""
    found = {}
    for finding in findings:
        region, _, name = finding["uid"].partition(f"{account.ACCOUNT}-")[2].partition("1-")
        found[f"{region}1", name] = (finding["status"], finding["status_extended"])
    wrong = [f"{key}: expected {expected.get(key)}" for key in expected if key not in found]
    for key, (status, text) in found.items():
        wanted, words = expected.get(key, ("no finding", ""))
        if status != wanted or words not in text:
            wrong.append(f"{key}: {status}, expected {wanted}: {text}")
    report(f"  {len(found)} findings of our checks, {len(wrong)} not the demo's")
    return wrong


def others(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> list[str]:
    """Return the findings of other checks that are in one of two full scans only."""
    differ = set(map(identity, before)) ^ set(map(identity, after))
    strange = sorted(uid for uid, _, _ in differ if not any(check in uid for check in CHECKS))
    report(f"  full scan: {len(before)} findings without, {len(after)} with the plugin;")
    report(f"  differ: {len(differ) - len(strange)} of our checks; of others: {strange}")
    return [f"differs without and with the plugin: {uid}" for uid in strange]


def counts(overview: dict[str, Any]) -> str:
    """Return the requirements of a framework, counted."""
    numbers = {key: overview[f"requirements_{key}"] for key in ("passed", "failed", "manual")}
    return ", ".join(f"{number} {key}" for key, number in numbers.items())


def show(app: App, scan: Scan) -> None:
    """Print what the App has of our frameworks after a full scan, and of a model's evidence."""
    wait_for("the API's frameworks", lambda: app.attributes(SOP)[0] != 503)
    overviews = scan.overviews()
    for name in NAMES:
        overview = overviews.get(name)
        status, text = scan.download(name)
        columns = (
            next(csv.reader(io.StringIO(text.decode()), delimiter=";")) if status == 200 else []
        )
        attributes = app.attributes(name)[0]
        report(
            f"  {name}: {counts(overview) if overview else 'not in the overview'}; name "
            f"{overview['framework'] if overview else None!r}; attributes {attributes}; "
            f"CSV {status}, {len(columns)} columns"
        )
    texts = app.attributes(SOP)[1].decode()
    asked = read(FOLDER / f"{SOP}.json")["Requirements"][0]["Attributes"][0]
    there = [key for key in asked if key in texts]
    report(f"  attributes of the SOP that the REST API has: {', '.join(there)}")
    resources = app.pages("/resources/latest", **{"filter[name]": "public-ipv6"})
    for resource in resources:
        metadata = resource["attributes"].get("metadata")
        report(f"  the resource public-ipv6 has the metadata {str(metadata)[:200]}")
    for path in app.work.glob("output/**/*.ocsf.json"):
        if "/compliance/" not in str(path):
            evidence = "route_table_id" in path.read_text("utf-8")
            report(f"  {path.name}: {'has' if evidence else 'lacks'} the evidence of our checks")


if __name__ == "__main__":
    # A shell in the background hands down an ignored SIGINT; all that was started is to stop.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    if len(sys.argv) != 2:
        sys.exit("Say where the App's API is: make app API=prowler/api")
    sys.exit(main(Path(sys.argv[1]).absolute()))
