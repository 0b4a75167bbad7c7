#!/usr/bin/env python3
"""Checks the words of this project: Markdown, comments, help texts, messages, scripts.

    Scripts/prose.py                    every file; one line a finding, as PATH:LINE: what is wrong
    Scripts/prose.py Sources/cnf ...    these files and folders only
    Scripts/prose.py --summary          how many findings each folder and each phrase has
    Scripts/prose.py --wrap FILE ...    wraps the comment lines of these sources that are too long, in place
    Scripts/prose.py --self-test        checks the check, on samples with known findings

Exit code: 0 without findings, 1 with some, 2 when it cannot run. Only --wrap writes.

Five checks:
  phrases    `Scripts/prose-words.txt` lists phrases to avoid, what to say instead, and the places where a phrase is right.
  names      The same file lists word parts that no identifier may contain.
  width      Markdown has at most 100 columns, comment lines at most 120. Table rows, code blocks and lines that are only long
             because of a link are exempt.
  links      A relative link in Markdown names a file that is there, and a heading that this file has.
  spelling   codespell (a Debian package), with the words of `Scripts/spelling-words.txt` accepted.

Only prose is read for phrases and spelling: the comments and string literals of C, Swift and Python; Markdown without its code
and link targets; scripts and Makefile as they are. A phrase is also found where it is broken over two lines.
"""

import argparse
import fnmatch
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
MARKDOWN_WIDTH = 100
COMMENT_WIDTH = 120

# Folders without texts of ours, by name; and files whose words are data or somebody else's.
SKIPPED_FOLDERS = {".git", "runs", "__pycache__", "node_modules", "venv"}
SKIPPED_FILES = {"LICENSE", "digits-LICENSE.txt", "prose.py", "prose-words.txt", "spelling-words.txt", "Package.resolved"}

# A gap between pieces of prose. It is no word character and no space, so no phrase matches across it.
GAP = "\0"

C_PIECES = re.compile(r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])+'", re.DOTALL)
SWIFT_INTERPOLATION = r"\\\((?:[^()\"]|\"(?:\\.|[^\"\\\n])*\"|\((?:[^()\"]|\"[^\"\n]*\"|\([^()]*\))*\))*\)"
SWIFT_PIECES = re.compile(
    r"//[^\n]*|/\*.*?\*/|\"\"\".*?\"\"\"|#\".*?\"#|\"(?:" + SWIFT_INTERPOLATION + r"|\\.|[^\"\\\n])*\"", re.DOTALL)
PYTHON_PIECES = re.compile(
    r"#[^\n]*|\"\"\".*?\"\"\"|'''.*?'''|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.DOTALL)
PIECES = {".c": C_PIECES, ".h": C_PIECES, ".inc": C_PIECES, ".cpp": C_PIECES, ".swift": SWIFT_PIECES, ".py": PYTHON_PIECES}
WHOLE = {".sh", ".cmake", ".in", ".yml", ".yaml", ".txt", ".modulemap"}
WHOLE_NAMES = {"Makefile", "run"}

COMMENT_LEADER = re.compile(r"^[ \t]*(?:///?|/\*+|\*/?|#+)(?=\s|$)", re.MULTILINE)
FENCE = re.compile(r"^[ \t]*```.*?^[ \t]*```[^\n]*$", re.DOTALL | re.MULTILINE)
INLINE_CODE = re.compile(r"(`+)(?!`).+?\1", re.DOTALL)
LINK_TARGET = re.compile(r"\]\([^)\s]*\)|<https?://[^>]*>|https?://\S+")


def gap(text):
    """`text` without its words, with its lines."""
    return GAP + "\n" * text.count("\n")


def pieces_of(text, pattern):
    """The comments and strings of a source; quotation marks become spaces, so that neighbouring literals read as one text."""
    parts, end = [], 0
    for piece in pattern.finditer(text):
        between = text[end:piece.start()]
        parts.append(gap(between) if between.strip() else between)
        found = piece.group()
        if found[0] not in "/#" or found[:2] == '#"':
            found = re.sub(SWIFT_INTERPOLATION, GAP, found).replace("\\n", "  ").replace('"', " ")
        parts.append(INLINE_CODE.sub(lambda code: gap(code.group()), found))
        end = piece.end()
    parts.append(gap(text[end:]))
    return COMMENT_LEADER.sub("", "".join(parts))


def prose_of(path, text):
    """What of a file is prose, line by line where it was; None where nothing is."""
    if path.suffix == ".md":
        text = FENCE.sub(lambda block: gap(block.group()), text)
        text = INLINE_CODE.sub(lambda code: gap(code.group()), text)
        return LINK_TARGET.sub(GAP, text)
    if path.suffix in PIECES:
        return pieces_of(text, PIECES[path.suffix])
    if path.suffix in WHOLE or path.name in WHOLE_NAMES:
        return COMMENT_LEADER.sub("", text)
    return None


class Words:
    """`prose-words.txt`: phrases, parts of names, and exceptions."""

    def __init__(self, path):
        self.path, self.phrases, self.names, self.allowed = path, [], [], []
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if not line.strip() or line.startswith("#"):
                continue
            kind, _, rest = line.partition(" ")
            fields = [field.strip() for field in rest.split(" => ")]
            if kind not in ("avoid", "name", "allow") or len(fields) != (3 if kind == "allow" else 2) or not all(fields):
                sys.exit(f"{path}:{number}: a line is 'avoid PHRASE => INSTEAD', 'name PART => INSTEAD' or "
                         "'allow PATHS => PHRASE => REASON'")
            if kind == "allow":
                self.allowed.append([fields[0], fields[1], number, False])
            elif kind == "name":
                self.names.append((re.compile(fields[0], re.IGNORECASE), fields[0], fields[1]))
            else:
                words = re.sub(r" +", r"\\s+", fields[0])
                self.phrases.append((re.compile(rf"(?<!\w)(?:{words})(?!\w)"), fields[0], fields[1]))
        known = {entry[1] for entry in self.phrases + self.names} | {"width", "spelling"}
        for _, phrase, number, _ in self.allowed:
            if phrase not in known:
                sys.exit(f"{path}:{number}: there is no phrase '{phrase}' to allow")

    def allows(self, name, phrase):
        """Whether the file `name` may use `phrase`; marks the exception as used."""
        found = False
        for entry in self.allowed:
            if entry[1] == phrase and fnmatch.fnmatch(name, entry[0]):
                entry[3] = found = True
        return found


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def phrase_findings(name, prose, words):
    lower = prose.lower()
    for pattern, phrase, instead in words.phrases:
        for match in pattern.finditer(lower):
            if not words.allows(name, phrase):
                said = " ".join(match.group().split())
                yield line_of(lower, match.start()), phrase, f"'{said}': say {instead}"


def name_findings(name, text, words):
    for pattern, part, instead in words.names:
        for match in pattern.finditer(text):
            if not words.allows(name, part):
                yield line_of(text, match.start()), part, f"'{match.group()}' in a name: say {instead}"


def width_findings(path, text):
    if path.suffix == ".md":
        visible = FENCE.sub(lambda block: gap(block.group()), text)
        for number, line in enumerate(visible.splitlines(), 1):
            if len(line) <= MARKDOWN_WIDTH or line.lstrip().startswith("|"):
                continue
            if len(re.sub(r"!?\[[^\]]*\]\([^)]*\)|https?://\S+", "", line)) > MARKDOWN_WIDTH - 20 or " " not in line.strip():
                yield number, "width", f"{len(line)} columns, more than {MARKDOWN_WIDTH}: wrap it"
    elif path.suffix in PIECES or path.name == "Makefile" or path.suffix == ".sh":
        for number, line in enumerate(text.splitlines(), 1):
            if len(line) > COMMENT_WIDTH and re.match(r"\s*(//|/\*|\* |# )", line) and not re.search(r"https?://\S+$", line):
                yield number, "width", f"{len(line)} columns in a comment, more than {COMMENT_WIDTH}: wrap it"


COMMENT = re.compile(r"(\s*(///?|/\*\*?|\*|#)(?=\s)\s*)(.*)$")


def continues(start, line):
    """The leader and the text of `line`, if it goes on with the paragraph of a comment line with the leader `start`."""
    match = COMMENT.match(line)
    if not match or match.group(2) != ("*" if "*" in start else start):
        return None
    leader, _, text = match.groups()
    return None if not text.strip() or re.match(r"[-*|@/] |```|/|\S+ {2,}\S", text) else (leader, text)


def wrap_comments(text):
    """`text` with the ends of overlong comment lines moved to the next line of their paragraph, or to a line of their own."""
    lines, at = text.split("\n"), 0
    while at < len(lines):
        line, match = lines[at], COMMENT.match(lines[at])
        cut = line.rfind(" ", len(match.group(1)) + 10, COMMENT_WIDTH + 1) if match else -1
        if len(line) > COMMENT_WIDTH and match and re.search(r"-{9,}( \*/)?$", line):  # a rule: it gets shorter
            lines[at] = re.sub(r"-{9,}", lambda rule: "-" * (len(rule.group()) - len(line) + COMMENT_WIDTH), line)
        elif len(line) > COMMENT_WIDTH and cut > 0 and not re.search(r"https?://\S+$", line):
            start, rest = match.group(2), line[cut + 1:].strip()
            column = re.match(r"\S+( \S+){0,5} {3,}(?=\S)", match.group(3))  # a list: `name    what it is`
            following = None if rest.endswith("*/") or column else continues(start, lines[at + 1]) if at + 1 < len(lines) else None
            lines[at] = line[:cut].rstrip()
            if following:
                lines[at + 1] = f"{following[0]}{rest} {following[1]}"
            else:
                leader = re.match(r"\s*", line).group() + " * " if start.startswith("/*") else match.group(1)
                lines.insert(at + 1, leader + " " * (len(column.group()) if column else 0) + rest)
        at += 1
    return "\n".join(lines)


def anchors_of(path):
    """The names by which a page's headings are linked to, as GitHub forms them."""
    headings = re.findall(r"^#+ +(.*)$", FENCE.sub("", path.read_text(errors="replace")), re.MULTILINE)
    plain = (re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading) for heading in headings)
    return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in plain}


def link_findings(path, text):
    if path.suffix != ".md":
        return
    visible = INLINE_CODE.sub(lambda code: gap(code.group()), FENCE.sub(lambda block: gap(block.group()), text))
    for match in re.finditer(r"\]\(([^)\s]+)\)", visible):
        file, _, anchor = match.group(1).partition("#")
        if re.match(r"[a-z]+:", file):
            continue
        target = (path.parent / file).resolve() if file else path
        if not target.exists():
            yield line_of(visible, match.start()), "links", f"there is no {file} to link to"
        elif anchor and target.suffix == ".md" and anchor not in anchors_of(target):
            yield line_of(visible, match.start()), "links", f"{target.name} has no heading for #{anchor}"


def spelling_findings(proses, accepted):
    """Findings of codespell in all texts at once: {name: [(line, "spelling", message)]}."""
    starts, lines = [], []
    for name, prose in proses:
        starts.append((len(lines), name))
        lines += prose.replace(GAP, " ").splitlines()
    result = subprocess.run(["codespell", "--ignore-words", str(accepted), "-"], input="\n".join(lines), text=True,
                            capture_output=True)
    if result.returncode not in (0, 65) and result.stderr:
        sys.exit(f"prose: codespell failed: {result.stderr.strip()}")
    findings, at = {}, 0
    # It prints "LINE: text" and below it the indented correction, or both on one line, by its version.
    for found in re.finditer(r"^(\d+): (?:.*\n\s+)?(\S+) ==> (.*)$", result.stdout, re.MULTILINE):
        number = int(found.group(1)) - 1
        while at + 1 < len(starts) and starts[at + 1][0] <= number:
            at += 1
        findings.setdefault(starts[at][1], []).append(
            (number - starts[at][0] + 1, "spelling", f"'{found.group(2)}': spelt {found.group(3).strip()}?"))
    return findings


def files_under(root, paths):
    """Every text of ours under `paths`, sorted."""
    found = []
    for start in paths:
        for path in [start] if start.is_file() else sorted(start.rglob("*")):
            folders = path.relative_to(root).parts[:-1]
            if any(part in SKIPPED_FOLDERS or part.startswith(".build") for part in folders):
                continue
            if path.is_file() and path.name not in SKIPPED_FILES:
                found.append(path)
    return found


def check(root, paths, words, accepted, whole):
    """All findings under `paths`: [(name, line, rule, message)]."""
    findings, proses = [], []
    for path in files_under(root, paths):
        if path.suffix not in PIECES and path.suffix not in WHOLE | {".md"} and path.name not in WHOLE_NAMES:
            continue
        name, text = str(path.relative_to(root)), path.read_text(errors="replace")
        prose = prose_of(path, text)
        proses.append((name, prose))
        found = list(phrase_findings(name, prose, words)) + list(width_findings(path, text))
        found += link_findings(path, text)
        if path.suffix in PIECES and path.suffix != ".py":
            found += name_findings(name, text, words)
        findings += [(name, *finding) for finding in found if finding[1] != "width" or not words.allows(name, "width")]
    if shutil.which("codespell"):
        for name, found in spelling_findings(proses, accepted).items():
            findings += [(name, *finding) for finding in found if not words.allows(name, "spelling")]
    else:
        print("prose: spelling SKIPPED (needs codespell)", file=sys.stderr)
    if whole:
        findings += [(str(words.path.relative_to(root)), number, "exception", f"'{phrase}' in {paths}: nothing there needs it")
                     for paths, phrase, number, used in words.allowed if not used]
    return sorted(findings)


SAMPLES = {
    "page.md": "# A page\n\nIt is fast but\nfor one case.\n\n`but for` and [a link](fine.md#fine) are code; [lost](but/for).\n\n```\nbut for\n```\n"
               + "word " * 25 + "\n| " + "cell " * 30 + "|\nA teh.\n",
    "code.c": "/* Whence it comes. */\nint whence_it; // rightly named\nchar *s = \"of no \"\n          \"account\";\n// "
              + "x" * 120 + "\nint unruly_lane;\n",
    "code.swift": "/// Fixed, but not beside.\nlet s = \"value \\(beside[\"beside\"]) here\"\nlet t = \"way back\"\n",
    "code.py": "x = 'made again'  # has no use for it\n",
    "Makefile": "help: ## the verdict\n",
    "fine.md": "# Fine\n\nThe backward pass recomputes a step. Besides, it is exact: not fast, but safe for all.\n",
}
EXPECTED = [
    ("Makefile", 1), ("code.c", 1), ("code.c", 3), ("code.c", 5), ("code.c", 6), ("code.py", 1), ("code.py", 1),
    ("code.swift", 1), ("code.swift", 3), ("page.md", 3), ("page.md", 6), ("page.md", 11), ("page.md", 13)]
SAMPLE_WORDS = ("avoid but for => 'except'\navoid whence => 'from where'\navoid of no account => 'ignored'\navoid beside => 'next to'\n"
                "avoid way back => 'backward pass'\navoid made again => 'recomputed'\navoid has no use for => 'ignores'\n"
                "avoid verdict => 'decision'\nname unruly => 'failed'\n")


def self_test():
    """The samples give exactly the findings expected, and an exception takes away its own and no other."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name, text in SAMPLES.items():
            (root / name).write_text(text)
        (root / "accepted").write_text("")
        (root / "prose-words.txt").write_text(SAMPLE_WORDS)
        expected = EXPECTED if shutil.which("codespell") else [case for case in EXPECTED if case != ("page.md", 13)]
        found = check(root, [root], Words(root / "prose-words.txt"), root / "accepted", True)
        if [(name, line) for name, line, _, _ in found] != expected:
            print("prose: the self-test found", *found, sep="\n  ", file=sys.stderr)
            return 1
        (root / "prose-words.txt").write_text(SAMPLE_WORDS + "allow *.py => made again => a sample\nallow *.c => beside => a sample\n")
        found = check(root, [root], Words(root / "prose-words.txt"), root / "accepted", True)
        without = [case for case in expected if case != ("code.py", 1)] + [("code.py", 1), ("prose-words.txt", 11)]
        if sorted((name, line) for name, line, _, _ in found) != sorted(without):
            print("prose: the self-test of exceptions found", *found, sep="\n  ", file=sys.stderr)
            return 1
    long, end = "/* " + "word " * 30, "fits. */"
    for text in (long + end, long + "\n * " + end, "  /// " + "word " * 30 + "\n  /// ends."):
        wrapped = wrap_comments(text)
        words = [re.findall(r"\w+", version) for version in (text, wrapped)]
        if words[0] != words[1] or max(map(len, wrapped.split("\n"))) > COMMENT_WIDTH or wrapped.count("\n") != 1:
            print(f"prose: the self-test of --wrap made\n{wrapped}", file=sys.stderr)
            return 1
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="*", type=Path, metavar="PATH", help="files and folders; all when none is given")
    parser.add_argument("--summary", action="store_true", help="counts by folder and by phrase instead of a line a finding")
    parser.add_argument("--wrap", action="store_true", help="wraps overlong comment lines of the files given, in place")
    parser.add_argument("--self-test", action="store_true", help="checks the check")
    options = parser.parse_args()
    if options.self_test:
        return self_test()
    root = HERE.parent
    missing = [str(path) for path in options.paths if not path.exists()]
    if missing:
        print(f"prose: there is no {', '.join(missing)}", file=sys.stderr)
        return 2
    paths = [path.resolve() for path in options.paths] or [root]
    if options.wrap:
        if not options.paths:
            print("prose: --wrap needs the files to wrap", file=sys.stderr)
            return 2
        for path in files_under(root, paths):
            if path.suffix in PIECES or path.suffix == ".sh" or path.name in WHOLE_NAMES:
                text = path.read_text()
                wrapped = wrap_comments(text)
                if wrapped != text:
                    path.write_text(wrapped)
        return 0
    findings = check(root, paths, Words(HERE / "prose-words.txt"), HERE / "spelling-words.txt", not options.paths)
    if options.summary:
        for title, key in (("by folder", lambda f: "/".join(f[0].split("/")[:2])), ("by rule", lambda f: f[2])):
            print(title)
            for name, count in Counter(map(key, findings)).most_common():
                print(f"{count:6}  {name}")
    else:
        for name, line, _, message in findings:
            print(f"{name}:{line}: {message}")
    if findings:
        print(f"prose: {len(findings)} findings", file=sys.stderr)
    return 1 if findings else 0


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `prose.py | head` ends quietly
    sys.exit(main())
