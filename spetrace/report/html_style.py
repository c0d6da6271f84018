"""The style of the HTML report: one sheet, no fonts or images to load."""

THEMES = {
    "light": {
        "--ground": "#ffffff", "--text": "#1c2128", "--soft": "#59636e", "--line": "#d5dbe1",
        "--band": "#f4f6f8", "--loss": "#b3261e", "--loss-band": "#fdeceb", "--warn": "#8a5a00",
        "--accent": "#0b57d0",
    },
    "dark": {
        "--ground": "#14171b", "--text": "#e4e8ec", "--soft": "#9aa4af", "--line": "#343b43",
        "--band": "#1d2126", "--loss": "#ff8a80", "--loss-band": "#35201f", "--warn": "#f0b44c",
        "--accent": "#8ab4f8",
    },
}  # fmt: skip
"""The colours of a page by their names in its style."""


def _variables(theme: str) -> str:
    colours = " ".join(f"{name}: {colour};" for name, colour in THEMES[theme].items())
    return f"color-scheme: {theme}; {colours}"


_THEMED = f"""
:root {{ {_variables("light")} }}
@media (prefers-color-scheme: dark) {{ :root:not([data-theme="light"]) {{ {_variables("dark")} }} }}
:root[data-theme="dark"] {{ {_variables("dark")} }}
"""

STYLE = (
    _THEMED
    + """
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 1.5rem clamp(1rem, 4vw, 2.5rem) 4rem; max-width: 80rem;
  background: var(--ground); color: var(--text);
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere;
}
h1 { margin: 0; font-size: 1.5rem; line-height: 1.25; }
h2 { margin: 2.5rem 0 0.75rem; font-size: 1.15rem; }
h3 { margin: 1.25rem 0 0.5rem; font-size: 1rem; }
header p { margin: 0.25rem 0 0; color: var(--soft); }
ul { margin: 0; padding-left: 1.25rem; }
li { margin: 0.25rem 0; }
.caution {
  margin: 1rem 0 0; padding: 0.6rem 0.9rem; border-left: 4px solid var(--loss);
  background: var(--loss-band);
}
.answer { margin: 1.25rem 0 0; padding-left: 1rem; border-left: 4px solid var(--accent); }
.answer p { margin: 0 0 0.6rem; max-width: 60rem; font-size: 1.1rem; }
.answer p:last-child { margin: 0; }
.left-out, .origin { color: var(--soft); font-size: 0.9rem; }
.name { white-space: nowrap; }
.tables { display: flex; flex-wrap: wrap; gap: 1.5rem 2rem; margin-bottom: 1rem; }
.scroll { overflow-x: auto; max-width: 100%; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 0.875rem; }
caption { padding: 0 0 0.35rem; text-align: left; font-weight: 600; }
th, td { padding: 0.25rem 0.5rem; border-bottom: 1px solid var(--line); overflow-wrap: normal; }
thead th { vertical-align: bottom; color: var(--soft); font-weight: 600; line-height: 1.2; }
tbody th { text-align: left; font-weight: 500; white-space: nowrap; }
.figures tr > :first-child {
  position: sticky; left: 0; background: var(--ground); text-align: left;
}
.figures td { text-align: right; white-space: nowrap; }
.figures thead th { height: 3em; text-align: right; }
.figures .share { padding-left: 0.15rem; color: var(--soft); }
.figures tbody tr:hover > * { background: var(--band); }
.bound-name { color: var(--soft); font-size: 0.8rem; font-style: italic; }
.figures .zero { color: var(--soft); }
.figures .loss { color: var(--loss); }
.data_loss { color: var(--loss); font-weight: 600; }
.warning { color: var(--warn); font-weight: 600; }
.plain { margin-bottom: 1rem; }
.plain td, .plain th { text-align: left; vertical-align: top; white-space: normal; }
code { font: 0.9em ui-monospace, monospace; }
dl { display: grid; grid-template-columns: fit-content(26rem) minmax(0, 1fr); gap: 0.4rem 1.25rem; margin: 0; }
dt { font-weight: 500; }
dd { margin: 0; }
@media (max-width: 40rem) {
  body { padding-top: 1rem; }
  h1 { font-size: 1.25rem; }
  .answer p { font-size: 1rem; }
  table { font-size: 0.85rem; }
  th, td { padding: 0.3rem 0.45rem; }
  dl { grid-template-columns: 1fr; gap: 0.1rem; }
  dd { margin-bottom: 0.6rem; }
  .plain thead { display: none; }
  .plain td, .plain th { display: block; padding: 0 0 0.1rem; border: 0; overflow-wrap: anywhere; }
  .plain td[data-label]::before { content: attr(data-label) ": "; color: var(--soft); }
  .plain tr { display: block; padding: 0.5rem 0; border-bottom: 1px solid var(--line); }
  .bound-name { display: block; line-height: 1; }
}
#theme { display: flex; justify-content: flex-end; float: right; margin: 0 0 0.5rem 1rem; }
#theme button {
  padding: 0.2rem 0.6rem; border: 1px solid var(--line); background: none; color: var(--soft);
  font: inherit; font-size: 0.8rem; cursor: pointer;
}
#theme button + button { border-left: 0; }
#theme button[aria-pressed="true"] { background: var(--band); color: var(--text); font-weight: 600; }
th > button {
  padding: 0; border: 0; background: none; color: inherit; font: inherit; text-align: inherit;
  line-height: inherit; cursor: pointer;
}
th > button:hover { color: var(--text); text-decoration: underline; }
th[aria-sort="ascending"] > button::after { content: " \\25b2"; }
th[aria-sort="descending"] > button::after { content: " \\25bc"; }
select {
  padding: 0.2rem 0.4rem; border: 1px solid var(--line); background: var(--band); color: var(--text);
  font: inherit; font-size: 0.9rem; max-width: 100%;
}
@media print {
  #theme { display: none; }
  :root, :root:not([data-theme="light"]), :root[data-theme="dark"] {
    color-scheme: light;
    --ground: #fff; --text: #000; --soft: #444; --line: #bbb; --band: #fff;
    --loss: #900; --loss-band: #fff; --warn: #640; --accent: #000;
  }
  :root { font-size: 9.5pt; }
  body { padding: 0; max-width: none; }
  table { font-size: 8pt; }
  th, td { padding: 0.15rem 0.4rem; }
  .tables { display: block; }
  .scroll { overflow: visible; break-inside: avoid; margin-bottom: 1rem; }
  tr { break-inside: avoid; }
  h2 { break-after: avoid; }
}
"""
)
