"""A tool of one's own: keeps each object as a file of JSON in one folder. Called with a verb and a document."""

from __future__ import annotations

import json
import sys
from pathlib import Path


def main(verb: str, document: str) -> None:
    """Do what the verb says with what the document holds."""
    said = json.loads(Path(document).read_text("utf-8"))
    folder = Path(said["inputs"]["folder"])
    there = {path.stem: path for path in sorted(folder.glob("*.json"))}
    if verb == "observe":
        objects = {name: json.loads(path.read_text("utf-8")) for name, path in there.items()}
        json.dump({"objects": objects, "outputs": {"count": len(objects)}}, sys.stdout)
        return
    for name, path in there.items():
        if name not in said["wanted"]:
            path.unlink()
    for name, attributes in said["wanted"].items():
        (folder / f"{name}.json").write_text(json.dumps(attributes), "utf-8")
        sys.stdout.write(f"{name} is as it should be\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
