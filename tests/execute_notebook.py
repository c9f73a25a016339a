"""Executes a notebook and prints, as JSON lines, what each code cell gave.

    execute_notebook.py NOTEBOOK

The notebook runs in its own folder with the environment of the caller. Exit code 1 and the cell's error when a cell
fails. A glyph that the plot's font lacks counts as a failure.
"""

import json
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

path = Path(sys.argv[1])
notebook = nbformat.read(path, as_version=4)
strict = "import warnings; warnings.filterwarnings('error', message='Glyph')"
notebook.cells.insert(0, nbformat.v4.new_code_cell(strict))
resources = {"metadata": {"path": str(path.parent)}}
client = NotebookClient(notebook, timeout=120, kernel_name="python3", resources=resources)
try:
    client.execute()
except CellExecutionError as error:
    sys.exit(str(error))
for cell in notebook.cells[1:]:
    if cell.cell_type != "code":
        continue
    outputs = [
        {"kind": kind, "content": content if kind.startswith("text/") else f"{len(content)} characters"}
        for output in cell.outputs
        for kind, content in (output.get("data") or {"text/plain": output.get("text", "")}).items()
    ]
    print(json.dumps({"source": cell.source, "outputs": outputs}, ensure_ascii=False))
