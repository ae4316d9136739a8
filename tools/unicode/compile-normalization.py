"""Writes src/Plimsoll.Checkpoints/Tokenizers/Normalizing/decompositions.txt from Python's unicodedata.

Usage: python3 tools/unicode/compile-normalization.py
The libraries run without ICU (InvariantGlobalization), where .NET's string.Normalize returns its text unchanged; tokenizers need NFC, NFD, NFKC and NFKD.
"""
import pathlib
import sys
import unicodedata

TARGET = pathlib.Path(__file__).parents[2] / "src/Plimsoll.Checkpoints/Tokenizers/Normalizing/decompositions.txt"
HANGUL = range(0xAC00, 0xD7A4)  # decomposed by arithmetic


def lines():
    yield f"# Unicode {unicodedata.unidata_version} (Unicode license v3), written by tools/unicode/compile-normalization.py."
    yield "# C: canonical and composed again; D: canonical, never composed; K: compatibility. One step each, hexadecimal. M: combining class."
    for code in range(sys.maxunicode + 1):
        character = chr(code)
        if 0xD800 <= code < 0xE000 or code in HANGUL:
            continue
        parts = unicodedata.decomposition(character).split()
        if parts and parts[0].startswith("<"):
            yield f"K {code:X} {' '.join(f'{int(part, 16):X}' for part in parts[1:])}"
        elif parts:
            kind = "C" if unicodedata.normalize("NFC", unicodedata.normalize("NFD", character)) == character else "D"
            yield f"{kind} {code:X} {' '.join(f'{int(part, 16):X}' for part in parts)}"
        if unicodedata.combining(character):
            yield f"M {code:X} {unicodedata.combining(character)}"


TARGET.write_text("\n".join(lines()) + "\n", encoding="ascii")
