"""Measures the sources: files per folder, lines per module, the longest functions, the largest structs, uses of CNF_TYPED.

    python3 Scripts/measure_code.py            prints the figures
    python3 Scripts/measure_code.py --check    prints only what is beyond the limits of the C library, and fails then

The parsers are small: they know braces, comments, strings and preprocessor lines. Figures of Swift are rough.
"""

import collections
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LIBRARY = "CSources/CNFKernels"
MOST_FILES, MOST_LINES = 16, 60

# Functions of the C library that may be longer than MOST_LINES, each with the reason.
LONG_FUNCTIONS = {}


def files_below(folder, *endings):
    for path, folders, names in os.walk(os.path.join(ROOT, folder)):
        folders[:] = sorted(name for name in folders if not name.startswith(".build"))
        for name in sorted(names):
            if name.endswith(endings):
                yield os.path.relpath(os.path.join(path, name), ROOT)


def text_of(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def blank(match):
    """Spaces in place of what is matched, with its line ends."""
    return re.sub(r"[^\n]", " ", match.group())


def bare(text, is_c=True):
    """Code without comments, strings and, of C, preprocessor lines; every character stays at its place."""
    text = re.sub(r'/\*.*?\*/|//[^\n]*|"""[\s\S]*?"""|"(?:\\.|[^"\\\n])*"', blank, text, flags=re.S)
    return re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", blank, text, flags=re.M) if is_c else text


def end_of_braces(text, start):
    """The place behind the brace that closes the one at `start`."""
    depth = 0
    for match in re.finditer(r"[{}]", text[start:]):
        depth += 1 if match.group() == "{" else -1
        if depth == 0:
            return start + match.end()
    return len(text)


def blocks(text, opening):
    """(lines, line, name) of each block that `opening` begins, whose last character is the brace and group 1 the name."""
    for match in re.finditer(opening, text, flags=re.M):
        end = end_of_braces(text, match.end() - 1)
        yield text.count("\n", match.start(), end) + 1, text.count("\n", 0, match.start()) + 1, match.group(1)


C_FUNCTION = r"^[A-Za-z_][^;{}=\n]*?\b(\w+(?:\(\w+\))?)\s*\([^;{}]*\)\s*\{"
SWIFT_FUNCTION = r"^[ \t]*(?:@\w+(?:\([^)]*\))?\s+)*(?:\w+ )*\b((?:func [^\s(<]+|init))[^{}\n]*(?:\n[^{}\n]*){0,12}?\{"


def functions(paths, opening, is_c):
    found = []
    for path in paths:
        found += [(lines, path, line, name) for lines, line, name in blocks(bare(text_of(path), is_c), opening)]
    return sorted(found, reverse=True)


def structs(paths):
    """(members, path, line, name): declarators, those of structs inside included."""
    found = []
    for path in paths:
        text = bare(text_of(path))
        for match in re.finditer(r"\b(?:struct|union) *([\w()]*)\s*\{", text):
            end = end_of_braces(text, match.end() - 1)
            body = re.sub(r"\([^()]*\)|\[[^\]]*\]", "", text[match.end() : end - 1])
            members = sum(statement.count(",") + 1 for statement in body.split(";")[:-1])
            name = match.group(1) or re.match(r"\s*(\w*)", text[end:]).group(1)
            found.append((members, path, text.count("\n", 0, match.start()) + 1, name))
    return sorted(found, reverse=True)


def files_per_folder(paths):
    return collections.Counter(os.path.dirname(path) for path in paths)


def check(c_files):
    """What is beyond the limits, a line each."""
    wrong = [
        f"{folder}: {count} files, more than {MOST_FILES}"
        for folder, count in sorted(files_per_folder(c_files).items())
        if count > MOST_FILES
    ]
    too_long = [entry for entry in functions(c_files, C_FUNCTION, True) if entry[0] > MOST_LINES]
    wrong += [
        f"{path}:{line}: {name} has {lines} lines, more than {MOST_LINES}"
        for lines, path, line, name in too_long
        if name not in LONG_FUNCTIONS
    ]
    listed = {name for _, _, _, name in too_long}
    return wrong + [f"LONG_FUNCTIONS lists {name}, which is short or gone" for name in LONG_FUNCTIONS if name not in listed]


def show(c_files):
    typed = collections.Counter({path: len(re.findall(r"\bCNF_TYPED\(", text_of(path))) for path in c_files})
    print(f"CNF_TYPED: {sum(typed.values())} uses in {sum(1 for count in typed.values() if count)} files")
    print("Files per folder of the C library:")
    for folder, count in sorted(files_per_folder(c_files).items()):
        print(f"  {count:4d}  {folder}")
    print("Largest structs of the C library, by members:")
    for members, path, line, name in structs(c_files)[:5]:
        print(f"  {members:4d}  {name}  {path}:{line}")
    swift_files = list(files_below("Sources", ".swift"))
    for language, found in (
        ("the C library", functions(c_files, C_FUNCTION, True)),
        ("Swift", functions(swift_files, SWIFT_FUNCTION, False)),
    ):
        print(f"Longest functions of {language}, in lines:")
        for lines, path, line, name in found[:8]:
            print(f"  {lines:4d}  {name}  {path}:{line}")
    print("Lines:")
    lines = collections.Counter()
    for path in list(c_files) + swift_files + list(files_below("Tests", ".swift", ".c", ".h")):
        lines["/".join(path.split("/")[:2])] += text_of(path).count("\n")
    for module, count in sorted(lines.items()):
        print(f"  {count:6d}  {module}")


def main():
    c_files = list(files_below(LIBRARY, ".c", ".h"))
    if "--check" not in sys.argv[1:]:
        show(c_files)
        return 0
    wrong = check(c_files)
    print("\n".join(wrong) if wrong else f"lint: sizes ok (folders to {MOST_FILES} files, C functions to {MOST_LINES} lines)")
    return 1 if wrong else 0


sys.exit(main())
