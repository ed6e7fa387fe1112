"""Checks a record of seatwarden without seatwarden: plans, restores, journals, register, seals kept elsewhere.

    python check_record.py FOLDER [--register runs.jsonl] [--seals FILE]

FOLDER is a run, a folder of runs, or a site's state folder, whose register is then found by itself. Each finding is a
line of its own; the exit code is 0 when there is none, else 1. Written from docs/formats.md, for Python 3.11 and later,
with nothing but the standard library; it changes nothing.
"""

import argparse
import hashlib
import json
import re
import sys
from collections import Counter
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path, PurePosixPath, PureWindowsPath

SALTED = {"plan", "finding", "decision", "apply", "resume", "intent", "outcome", "giving", "given"}
SALTED |= {"restore", "back", "register", "planned", "begun", "attempt", "override", "settings", "erased", "pruned"}
SALTED |= {"hold", "ended", "damage-accepted"}
BESIDE = {"holds": {"holds", "hold", "ended"}, "notices": {"notices", "intent", "outcome", "ended", "seen"}}
BESIDE["notices"].add("damage-accepted")
"""The kinds of lines that have a personal part, or what is left of it when it was erased."""
HEX = "([0-9a-f]{64})"
written = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode
SEAL = (
    rf"seal of register ([0-9a-f]{{16}}) run (\d+):\s+plan {HEX},?\s+(?:journal {HEX},?\s+)?register line (\d+) {HEX}"
)


class Chain:
    """A file of lines: what each says, their leaves, which are erased; the root if it is sealed; what is wrong."""

    def __init__(self, path):
        self.path, self.lines, self.leaves, self.erased, self.root, self.findings = path, [], [], [], "", []

    def find(self, problem, line=None):
        """Adds a finding."""
        self.findings.append(f"{self.path}:{line}: {problem}" if line else f"{self.path}: {problem}")

    def of(self, *kinds):
        """The lines of some kinds."""
        return [line for line in self.lines if line["kind"] in kinds]

    @contextmanager
    def readable(self):
        """Turns a line that says not what it should into a finding."""
        try:
            yield
        except (KeyError, TypeError, AttributeError, ValueError, IndexError):
            self.find("a line lacks what lines of its kind have")


def sha256(data):
    """The digest of some bytes, as `sha256sum` prints it."""
    return hashlib.sha256(data).hexdigest()


def root_of(leaves):
    """The root of a Merkle tree as in RFC 6962, section 2.1."""
    if len(leaves) < 2:
        return leaves[0] if leaves else hashlib.sha256().digest()
    left = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + root_of(leaves[:left]) + root_of(leaves[left:])).digest()


def read_line(bare):
    """What a line says, and its leaf. There is one way to write it, so that no key can stand there twice."""
    line = json.loads(bare, parse_float=str)  # numbers are whole: another one is not written as it was
    if written(line).encode() != bare:
        raise ValueError
    if "person" in line:  # is hashed by itself, so that it can be taken out
        shared, personal = bare.split(b',"person":{', 1)
        bare = shared + b',"of":"' + sha256(b"{" + personal[:-1]).encode() + b'"}'
    return line, sha256(b"\0" + bare)


def read_chain(path, grows):
    """A file of lines. One that grows, a journal or register, has each line's leaf in `sum`, and may have no seal."""
    chain, before = Chain(path), "0" * 64
    *rows, rest = path.read_bytes().split(b"\n")
    for n, row in enumerate(rows, 1):
        own = row[-74:] if grows else b""
        try:
            line, leaf = read_line(row.removesuffix(own) + b"}" if grows else row)
            kind, number, prev = str(line["kind"]), line["n"], line["prev"]
        except (ValueError, KeyError, TypeError, RecursionError):
            chain.find("is not a line as it is written", n)
            return chain  # what follows cannot be linked
        first = ("plan", "apply", "register", *BESIDE) if grows else ("plan", "restore")
        if kind in first and line.get("format") != 2:
            chain.find("is of another format than 2, which this does not check", n)
            return chain
        if number != n or prev != before or chain.root:
            chain.find("does not stand behind the line before it", n)
        if grows and own != f',"sum":"{leaf}"}}'.encode():
            chain.find("has not the leaf that it carries: it was changed", n)
        if kind == "seal":
            chain.root = root_of([bytes.fromhex(leaf) for leaf in chain.leaves]).hex()
            if (line.get("size"), line.get("root")) != (n - 1, chain.root):
                chain.find("is a seal over other lines than these", n)
            continue
        personal = ("person" in line) + ("of" in line)
        if personal > 1 or (kind in SALTED and not personal):
            chain.find("has not one of `person` and `of`", n)
        chain.erased += [n] if "of" in line else []
        chain.lines.append(line)
        chain.leaves.append(leaf)
        before = leaf
    if rest or not chain.lines or not (chain.root or grows):
        chain.find("its end is missing: by a crash, or somebody cut it off")
    return chain


SIGNED = {"plan.note", "outcomes.note", "runs.note"}


class Run:
    """A run folder: its plan, and its journal if there is one, checked against each other and against the files."""

    sealed, derived = "plan.jsonl", {"plan.jsonl", "outcomes.jsonl", "policy.policy", "summary.txt", "report.html"}

    def __init__(self, folder):
        path = folder / "outcomes.jsonl"
        self.folder, self.plan, self.listed = folder, read_chain(folder / self.sealed, grows=False), None
        self.journal = read_chain(path, grows=True) if path.exists() else None
        self.chains = [self.plan, self.journal] if self.journal else [self.plan]
        if not self.plan.findings:
            with self.plan.readable():
                self.check_plan()
            if self.journal and self.journal.lines:
                with self.journal.readable():
                    self.check_journal()

    def check_plan(self):
        """The order of the lines, the policy's digest, the counts."""
        plan, kinds = self.plan, [line["kind"] for line in self.plan.lines]
        decisions = plan.of("decision")
        order = ["finding"] * kinds.count("finding") + ["decision"] * len(decisions)
        if kinds != ["plan", "policy", *order, "summary"]:
            plan.find("is no plan, whose lines have their order")
            return
        header, text, summary = plan.lines[0], plan.lines[1]["text"].encode(), plan.lines[-1]["summary"]
        if sha256(text) != header["policy"]["canonicalSha256"]:
            plan.find("has another policy than its first line says", 2)
        verdicts = Counter(line["verdict"] for line in decisions)
        taken = verdicts["release"] + verdicts["downgrade"]
        counted = [summary["licenses"], summary["release"], summary.get("downgrade", 0)]
        if counted != [len(decisions), taken, verdicts["downgrade"]]:
            plan.find("counts other decisions than there are", len(kinds))
        listed = {f"policy/{name}": digest for name, digest in header["policy"]["sources"].items()}
        self.listed = listed | header["snapshot"]["kept"]

    def canonical(self):
        """The files that are derived from the plan and have a digest of their own."""
        return [("policy.policy", sha256(self.plan.lines[1]["text"].encode()))]

    def chosen_from(self):
        """The lines of which a journal may choose."""
        return [line for line in self.plan.of("decision") if line["verdict"] != "keep"]

    def gives(self, line):
        """The type of the license that is given in the place of a line's; None: none is."""
        return "analyzer" if line["verdict"] == "downgrade" else None

    def fits(self, entry):
        """Whether the register's line on it has the same numbers."""
        header, summary = self.plan.lines[0], self.plan.lines[-1]["summary"]
        counted = [header["mode"], summary["licenses"], summary["release"], summary.get("downgrade")]
        return [entry["mode"], entry["licenses"], entry["release"], entry.get("downgrade")] == counted

    def check_gone(self, lines):
        """Stubs, and the files beside the plan, by the register's lines `erased`, which know a run by its root."""
        gone, digests = {self.sealed: set(), "outcomes.jsonl": set()}, {}
        for line in lines:
            for path, root in line["roots"].items():
                if root == self.plan.root and path.endswith(f"/{self.sealed}"):
                    place = path.removesuffix(self.sealed)
                    for name, numbers in gone.items():
                        numbers.update(line["files"].get(place + name, ()))
                    anew = [name for name in line["digests"] if name.startswith(place)]
                    digests |= {name.removeprefix(place): line["digests"][name] for name in anew}
        for chain in self.chains:
            for n in chain.erased:
                if n not in gone[chain.path.name]:
                    chain.find("was erased, and no register says so", n)
        if self.listed is not None:
            self.check_files(digests)

    def check_files(self, digests):
        """The files beside the plan; `digests` are those of kept snapshots that were written anew without somebody."""
        there = {p.relative_to(self.folder).as_posix(): p for p in self.folder.rglob("*") if p.is_file()}
        listed = self.listed | digests
        for name, digest in [*listed.items(), *self.canonical()]:
            if (name in there and sha256(there[name].read_bytes()) != digest) or name in listed.keys() - there.keys():
                self.plan.find(f"lists {name}, which is missing or was changed")
        signed = {name for name in there if name in SIGNED or name.startswith("approvals/")}  # they prove themselves
        for name in sorted(there.keys() - listed.keys() - self.derived - signed):
            self.plan.find(f"knows nothing of {name}, which is in its folder")

    def check_journal(self):
        """A journal is one of the plan, and touches no license but those that it chose."""
        journal, header, last = self.journal, self.journal.lines[0], self.journal.lines[-1]
        if header["kind"] != "apply" or len(journal.of("apply")) > 1 or (journal.root and last["kind"] != "closed"):
            journal.find("is no journal, whose lines have their order")
            return
        if (header["planRoot"], header["runId"]) != (self.plan.root, self.plan.lines[0]["runId"]):
            journal.find("belongs to another plan", 1)
        decided = {line["n"]: line for line in self.chosen_from()}
        chosen, results = header["chosen"], {}
        if len(set(chosen)) != len(chosen) or not set(chosen) <= decided.keys():
            journal.find("chooses what the plan does not release, or something twice", 1)
            return
        for line in journal.of("giving", "given", "intent", "outcome"):
            if line["line"] not in chosen:
                journal.find("is about a license that was not chosen", line["n"])
                continue
            plan_line = decided[line["line"]]
            if line["kind"] in ("giving", "given"):
                if line["licenseType"] != self.gives(plan_line):
                    journal.find("gives a license that the plan does not give", line["n"])
                continue
            ids = {one["person"]["licenseId"] for one in (line, plan_line) if "person" in one}
            if len(ids) > 1 or line["licenseType"] != plan_line["licenseType"]:
                journal.find("is about another license than that line of the plan", line["n"])
            if line["kind"] == "outcome":
                results[line["line"]] = line["result"]
        if journal.root and (Counter(last["summary"]) != Counter(results.values()) or len(results) != len(chosen)):
            journal.find("is closed, with other outcomes than were chosen or counted", last["n"])
        if journal.root and last["files"] != self.listed:
            journal.find("is closed over other files than the plan lists", last["n"])


class Restore(Run):
    """The folder of a restore, which stands in the place of a plan; its lines `back` in that of decisions."""

    sealed, derived = "restore.jsonl", {"restore.jsonl", "outcomes.jsonl"}

    def check_plan(self):
        """The order of the lines; each is about another release."""
        plan, back = self.plan, self.plan.of("back")
        if [line["kind"] for line in plan.lines] != ["restore", *["back"] * len(back)]:
            plan.find("is no restore, whose lines have their order")
            return
        if len({line["line"] for line in back}) != len(back):
            plan.find("gives a license back twice")
        self.listed = {}

    def canonical(self):
        """None."""
        return []

    def chosen_from(self):
        """All that is given back."""
        return self.plan.of("back")

    def gives(self, line):
        """The type of what is given back, where what a downgrade gave is taken back."""
        return line["licenseType"] if "takes" in line else None

    def fits(self, entry):
        """Whether the register's line on it has the same numbers."""
        back = self.plan.of("back")
        counted = [self.plan.lines[0]["ofRoot"], len(back), sum("takes" in line for line in back)]
        return [entry["ofRoot"], entry["licenses"], entry.get("exchanged", 0)] == counted


def check_register(register, runs, whole):
    """The register and the runs against each other; `whole`: all its runs should be there."""
    if register.lines[0]["kind"] != "register" or register.root:
        register.find("is no register of runs")
        return
    planned = {line["root"]: line for line in register.of("planned", "restore")}
    if [line["run"] for line in register.of("planned", "restore")] != list(range(1, len(planned) + 1)):
        register.find("its runs are not numbered one by one")
    under_way = {}
    for line in register.of("begun", "closed"):
        under_way.pop(line["run"], None)
        under_way |= {line["run"]: line["n"]} if line["kind"] == "begun" else {}
    heads = [run.plan.lines[0]["register"] for run in runs if run.plan.root]
    numbers = {head["run"] for head in heads if head}
    for number, n in under_way.items():
        if whole or number in numbers:
            register.find(f"run {number} was begun and never closed: it is under way, or was interrupted", n)
    gone = {n for line in register.of("erased") for n in line["files"].get("runs.jsonl", ())}
    for n in sorted(set(register.erased) - gone):
        register.find("was erased, and no register says so", n)
    for kind in ("erased", "pruned"):
        for line in register.of(kind)[-1:]:
            if line["done"] is not True:
                register.find(f"what was to be {kind} is not all gone yet: the next run goes on with it", line["n"])
    for run in runs:
        with run.plan.readable():
            check_entry(run, register, planned)
    there = {run.plan.root for run in runs} | {root for line in register.of("pruned") for root in line["runs"].values()}
    for root, line in planned.items():
        elsewhere = any(kind(line["folder"]).is_absolute() for kind in (PurePosixPath, PureWindowsPath))
        if whole and root not in there and not elsewhere:
            register.find(f"run {line['run']} is missing: {line['folder']}", line["n"])


def check_entry(run, register, planned):
    """One run against the register's lines on it."""
    if not run.plan.root:
        return
    header, journal = run.plan.lines[0], run.journal
    head, entry = header["register"], planned.get(run.plan.root)
    if head is None or head["id"] != register.lines[0]["id"]:
        if header.get("mode") != "what-if":
            run.plan.find("is no run of this register")
        return
    if entry is None or (entry["run"], entry["runId"]) != (head["run"], header["runId"]):
        run.plan.find(f"is not the plan that the register has as run {head['run']}")
        return
    if register.leaves[head["lines"] - 1 : head["lines"]] != [head["leaf"]]:
        run.plan.find(f"knows another line {head['lines']} of the register: that was cut off or changed", 1)
    if not run.fits(entry):
        run.plan.find("has other numbers than the register has of it")
    begun, closed = ([line for line in register.of(kind) if line["run"] == head["run"]] for kind in ("begun", "closed"))
    if journal is None:
        if closed:
            run.plan.find("has no journal, and the register knows how it ended")
        return
    if not begun:
        journal.find("is unknown to the register: no release was begun")
        return
    for line in closed[-1:]:
        size, root = line["journalLines"], line["journalRoot"]
        if journal.leaves[size - 1 : size] != [line["journalLeaf"]] or root not in (None, journal.root):
            journal.find("is not the journal that the register knows")
        elif len(begun) == len(closed) and len(journal.leaves) > size:
            journal.find("has lines that the register does not know", size + 1)
        elif len(journal.leaves) == size:
            ends = {end["line"]: (end["licenseType"], end["result"]) for end in journal.of("outcome")}.values()
            results = Counter(result for _, result in ends)
            released = Counter(kind for kind, result in ends if result in ("released", "downgraded"))
            counted = [Counter(line["results"]), Counter(line["released"]), line["settled"], line.get("open", 0)]
            agree = counted == [results, released, bool(journal.root), unanswered(journal)]
            if not agree or {one["chosen"] for one in begun} != {len(journal.lines[0]["chosen"])}:
                journal.find("has other numbers than the register has of it")


def unanswered(journal):
    """Of how many licenses, in whose place another was given, the DELETE has no known answer."""
    exchanged, waiting, found = set(), set(), set()
    for line in journal.of("given", "intent", "outcome"):
        if line["kind"] == "outcome":
            answer = line.get("person", {}).get("status")
            if line["result"] in ("released", "downgraded", "gone", "restored"):
                found.discard(line["line"])
            elif line["line"] in waiting and answer is None:
                found.add(line["line"])
            waiting.discard(line["line"])
        else:
            (exchanged if line["kind"] == "given" else waiting).add(line["line"])
    return len((found | waiting) & exchanged)


def check_beside(chain, name, register, runs):
    """The register of holds or of notices: its order, its stubs, and how far it had come by all that knows it."""
    heads = register.of("heads") if register else []
    anew = max((line["n"] for line in heads if name in line.get("anew", ())), default=0)
    first = [run.plan.lines[0] for run in runs if run.plan.root and run.plan.lines[0].get("heads")]
    plans = [line["heads"] for line in first if not anew or (line["register"] or {"lines": 0})["lines"] >= anew]
    for known in [line[name] for line in [*heads[-1:], *plans]]:
        if known and chain.leaves[known["lines"] - 1 : known["lines"]] != [known["leaf"]]:
            chain.find(f"had another line {known['lines']} once: its end was cut off, or it was written anew")
            break
    for line in chain.lines:
        if (line["kind"] == name) != (line["n"] == 1) or line["kind"] not in BESIDE[name]:
            chain.find(f"is no register of {name}, whose lines have their order", line["n"])
    (check_holds if name == "holds" else check_notices)(chain)
    gone = {n for line in (register.of("erased") if register else ()) for n in line["files"].get(f"{name}.jsonl", ())}
    for n in sorted(set(chain.erased) - gone):
        chain.find("was erased, and no register says so", n)


def check_holds(holds):
    """Each hold ends, after 366 days at most, and is ended once."""
    running = set()
    for line in holds.of("hold", "ended"):
        if line["kind"] == "hold":
            running.add(line["n"])
            first, last = date.fromisoformat(line["day"]), date.fromisoformat(line["until"])
            if not first <= last <= first + timedelta(days=366):
                holds.find("is over before it begins, or lasts for more than 366 days", line["n"])
        elif line["hold"] not in running:
            holds.find("ends no hold that runs", line["n"])
        running.discard(line.get("hold"))


def check_notices(notices):
    """Each message is of a notice that runs, or of the next, and has one outcome; each notice is ended once."""
    known, ended, waiting = {}, set(), {}
    for line in notices.lines[1:]:
        kind, number, day = line["kind"], line.get("notice"), date.fromisoformat(line["day"])
        if kind == "intent":
            about = line["licenseType"], line["redirected"]
            begins = number == len(known) + 1 and (line["step"] == "notice" or line["redirected"])
            if known.setdefault(number, about if begins else None) != about or number in ended:
                notices.find("is of no notice that runs, and not of the next", line["n"])
            if date.fromisoformat(line["announced"]) < day:
                notices.find("announces a day that is over", line["n"])
            waiting[line["n"]] = "accepted" if line["redirected"] else "redirected"
        elif kind == "outcome" and waiting.pop(line["intent"], line["result"]) == line["result"]:
            notices.find("is no outcome of a message that waits for one", line["n"])
        elif kind == "ended" and (number not in known or number in ended):
            notices.find("ends no notice that runs", line["n"])
        ended |= {number} if kind == "ended" else set(known) if kind == "damage-accepted" else set()


def check_seals(register, text):
    """The register against seals that left the machine: in a mailbox, a log, a table that was copied."""
    text = re.sub(r"=\r?\n|^[> ]+", "", text, flags=re.MULTILINE)  # how mails break and quote lines
    roots = {line["root"]: line["run"] for line in register.of("planned", "restore")}
    journals = {(line["run"], line["journalRoot"]) for line in register.of("closed")}
    sealed = set()
    for name, run, plan, journal, size, head in re.findall(SEAL, text):
        if name == register.lines[0]["id"]:
            sealed.add(int(run))
            known = register.leaves[int(size) - 1 : int(size)] == [head] and roots.get(plan) == int(run)
            if not known or (journal and (int(run), journal) not in journals):
                register.find(f"has not what was sealed of run {run}")
    for run in set(range(min(sealed, default=1), max(roots.values(), default=0) + 1)) - sealed:
        register.find(f"has run {run}, of which no seal stands there")


def checked_beside(name, register, readable, runs):
    """The register of holds or of notices, with what is wrong with it; None: there is none, and nobody knows it."""
    path = register.path.with_name(f"{name}.jsonl")
    chain = read_chain(path, grows=True) if path.exists() else Chain(path)
    seen = [run.plan.lines[0].get("heads") for run in runs if run.plan.root]
    if not path.exists() and not any(line and line.get(name) for line in [*register.of("heads"), *seen]):
        return None
    if not path.exists():
        chain.find("is missing: the register of runs, or a plan, knows it")
    elif not chain.findings:
        with chain.readable():
            check_beside(chain, name, readable, runs)
    return chain


def check(folder, register_path=None, seals=""):
    """All findings on what is in a folder, and in a few words what was looked at."""
    places = [(path.relative_to(folder), kind) for kind in (Run, Restore) for path in folder.rglob(kind.sealed)]
    found = sorted(places, key=lambda place: place[0])
    runs = [kind(folder / path.parent) for path, kind in found if not any(one.startswith(".") for one in path.parts)]
    chains, gone = [chain for run in runs for chain in run.chains], []
    findings, seen = [], f"{len(runs)} runs"
    beside = folder / "runs.jsonl"
    heads = [run.plan.lines[0].get("register") for run in runs if run.plan.root]
    places = [head.get("path") for head in heads if isinstance(head, dict)]
    was_beside = str(beside.resolve()) in places or (folder / "lock").exists()  # which Windows removes
    whole = register_path is None and (beside.exists() or was_beside)
    if register_path is None and not beside.exists():
        findings += [f"{beside}: is missing, with what it says of these runs"] if whole else []
        seen += "; without their register nobody knows whether one is missing"
    else:
        register = read_chain(register_path or beside, grows=True)
        chains.append(register)
        readable = None if register.findings else register
        if readable:
            with register.readable():
                check_register(register, runs, whole)
                gone = register.of("erased")
                if seals:
                    check_seals(register, seals)
            seen += f", register {register.lines[0].get('id')} line {len(register.leaves)} {register.leaves[-1]}"
        chains += filter(None, (checked_beside(name, register, readable, runs) for name in BESIDE))
    for run in runs:
        with run.plan.readable():
            run.check_gone(gone)
    findings += [problem for chain in chains for problem in chain.findings]
    ids = Counter(str(run.plan.lines[0].get("runId")) for run in runs if run.plan.lines)
    findings += [f"{folder}: {count} folders have the run id {one}" for one, count in ids.items() if count > 1]
    return findings if chains else [f"{folder}: there is no plan and no register"], seen


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description="Check a record of seatwarden without seatwarden.")
    asked.add_argument("folder", type=Path, help="a run, a folder of runs, or a state folder")
    asked.add_argument("--register", type=Path, help="the register of runs; by itself that in the folder")
    asked.add_argument("--seals", type=Path, help="a file with seals that left the machine")
    given = asked.parse_args()
    kept = given.seals.read_text(encoding="utf-8", errors="replace") if given.seals else ""
    problems, what = check(given.folder, given.register, kept)
    print("\n".join(problems) or f"ok: {what}")
    sys.exit(1 if problems else 0)
