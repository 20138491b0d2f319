"""Makes docs/terminal.svg, the picture in the README: a session of the command line, run for real.

With a stack running (`cargo xtask up`):

    export LONGSHORE_API=<the URL that up printed>
    python3 docs/terminal.py
"""

import os
import pathlib
import secrets
import signal
import subprocess
import tempfile
import time
from html import escape

HERE = pathlib.Path(__file__).resolve().parent
PROGRAMS = HERE.parent / "target/release"
COMMANDS = [
    "longshore upload site.tar --to /backups",
    "longshore upload site.tar --to /backups",
    "longshore upload site.tar --to /copies",
    "longshore status /backups/site.tar",
    "longshore download /backups/site.tar -o copy.tar && cmp copy.tar site.tar && echo same",
]
INTERRUPTED = 0  # This command gets a Ctrl-C half-way.
WAITS_FOR_REPLICAS = 3
COLUMNS, LINE, CHARACTER, MARGIN = 104, 20, 8.43, 20
STYLE = """
  text { font: 14px ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace }
  .prompt { fill: #7ee787 } .typed { fill: #ffffff; font-weight: 600 } .printed { fill: #c9d1d9 }
"""


def run(command: str, folder: str, environment: dict[str, str], interrupt: bool) -> list[str]:
    process = subprocess.Popen(
        ["bash", "-c", command if "&&" in command else f"exec {command}"],
        cwd=folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )
    if interrupt:
        time.sleep(0.6)
        process.send_signal(signal.SIGINT)
    printed = process.communicate()[0].splitlines()
    if process.returncode != (130 if interrupt else 0):
        raise SystemExit(f"{command}: exit code {process.returncode}\n" + "\n".join(printed))
    return (["^C"] if interrupt else []) + printed


def session() -> list[tuple[str, str]]:
    """Lines of a session, each with its class."""
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {
            "PATH": f"{PROGRAMS}:{os.environ['PATH']}",
            "LONGSHORE_CONFIG_DIR": f"{folder}/config",
            "LONGSHORE_PASSWORD": secrets.token_hex(),
        }
        pathlib.Path(folder, "site.tar").write_bytes(os.urandom(180_000_000))
        run(f"longshore signup picture-{secrets.token_hex(4)}", folder, environment, False)
        for number, command in enumerate(COMMANDS):
            if number == WAITS_FOR_REPLICAS:
                time.sleep(5)
            lines.append(("typed", command))
            printed = run(command, folder, environment, number == INTERRUPTED)
            lines += [("printed", line) for line in printed] + [("printed", "")]
        run("longshore delete-account --yes", folder, environment, False)
    return lines[:-1]


def text(line: str) -> str:
    """Viewers collapse spaces, but not these."""
    return escape(line).replace(" ", "\N{NO-BREAK SPACE}")


def picture(lines: list[tuple[str, str]]) -> str:
    width, height = round(COLUMNS * CHARACTER) + 2 * MARGIN, len(lines) * LINE + 2 * MARGIN
    rows = []
    for number, (kind, line) in enumerate(lines):
        prompt = f'<tspan class="prompt">{text("$ ")}</tspan>' if kind == "typed" else ""
        y = MARGIN + number * LINE + 15
        rows.append(f'  <text x="{MARGIN}" y="{y}">{prompt}<tspan class="{kind}">{text(line)}</tspan></text>')
    return "\n".join([
        '<svg xmlns="http://www.w3.org/2000/svg" xml:space="preserve" '
        f'viewBox="0 0 {width} {height}" width="{width}" height="{height}">',
        f"  <style>{STYLE}  </style>",
        f'  <rect width="{width}" height="{height}" rx="8" fill="#0d1117"/>',
        *rows,
        "</svg>",
        "",
    ])


(HERE / "terminal.svg").write_text(picture(session()))
