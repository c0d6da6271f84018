"""The scripts of a page: its theme, tables that can be sorted, and the drawing of its charts."""

THEME_SCRIPT = """
(() => {
  const root = document.documentElement, KEY = "spetrace-theme";
  const buttons = [...document.querySelectorAll("#theme button")];
  const choose = (theme) => {
    if (theme === "auto") delete root.dataset.theme; else root.dataset.theme = theme;
    buttons.forEach((b) => b.setAttribute("aria-pressed", String(b.dataset.theme === theme)));
    dispatchEvent(new Event("themechange"));
  };
  let kept = null;
  try { kept = localStorage.getItem(KEY); } catch {}
  choose(["light", "dark"].includes(kept) ? kept : "auto");
  buttons.forEach((button) => button.addEventListener("click", () => {
    try { localStorage.setItem(KEY, button.dataset.theme); } catch {}
    choose(button.dataset.theme);
  }));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () =>
    dispatchEvent(new Event("themechange")));
})();
"""
"""Marks the chosen theme on the root and tells the page; a browser that keeps nothing is no error."""

SORT_SCRIPT = """
document.querySelectorAll("table.sortable").forEach((table) => {
  const body = table.tBodies[0], original = [...body.rows];
  const heads = [...table.tHead.querySelectorAll("th[data-sort]")];
  const key = (row, column) => {
    const cell = row.cells[column], data = cell.querySelector("data");
    return data ? Number(data.value) : cell.textContent.trim();
  };
  const compare = (a, b) => typeof a === "number" && typeof b === "number" ? a - b
    : typeof a === typeof b ? a.localeCompare(b) : typeof a === "number" ? -1 : 1;
  const sort = (head) => {
    const column = head.cellIndex, first = head.dataset.sort;
    const orders = [first, first === "ascending" ? "descending" : "ascending", "none"];
    const order = orders[(orders.indexOf(head.getAttribute("aria-sort")) + 1) % 3];
    heads.forEach((each) => each.setAttribute("aria-sort", each === head ? order : "none"));
    const sign = order === "descending" ? -1 : 1;
    const rows = order === "none" ? original
      : [...original].sort((a, b) => sign * compare(key(a, column), key(b, column)));
    body.append(...rows);
  };
  heads.forEach((head) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    head.setAttribute("aria-sort", "none");
    button.addEventListener("click", () => sort(head));
  });
});
"""
"""A button in each heading: first its own order, then the other, then the page's.

`data-sort` names the first order. A cell sorts by its `data` element's value, else by its text.
"""

CHART_SCRIPT = """
(() => {
  const charts = JSON.parse(document.getElementById("charts").textContent);
  const touch = matchMedia("(pointer: coarse)").matches;
  // Without plotly's button that sends a chart to its makers' server.
  const CONFIG = {displaylogo: false, showSendToCloud: false, showTips: false,
                  modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"]};
  const PAPER = 680;
  let printing = false;
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const coloured = (value, isColour) => {
    if (Array.isArray(value)) {
      return isColour || typeof value[0] === "object" && value[0] !== null && !Array.isArray(value[0])
        ? value.map((each) => coloured(each, isColour)) : value;
    }
    if (value !== null && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(
        ([key, each]) => [key, coloured(each, key.endsWith("color"))]));
    }
    return isColour && typeof value === "string" && value.startsWith("--") ? css(value) : value;
  };
  // A legend below the chart is laid out in columns as wide as its longest name.
  const legendHeight = (data, layout, width) => {
    const shown = data.filter((t) => t.showlegend !== false && t.visible !== false && t.name);
    if (layout.showlegend === false || shown.length < 2 || layout.legend) return 0;
    const longest = Math.max(...shown.map((t) => t.name.length)) * 7.5 + 50;
    const columns = Math.max(1, Math.floor((width - 20) / longest));
    return 16 + 20 * Math.ceil(shown.length / columns);
  };
  const themed = ({data, layout}, legend, width) => {
    const colours = {ground: css("--ground"), text: css("--text"), line: css("--line"), band: css("--band")};
    const result = {
      margin: {l: 64, r: 16, t: 32, b: 56 + legend},
      legend: {orientation: "h", x: 0, y: 0, yref: "container", yanchor: "bottom",
               traceorder: "normal"},
      hovermode: "closest", uirevision: "kept", ...(touch ? {dragmode: false} : {}), ...layout,
      ...(printing ? {width} : {autosize: true}),
      paper_bgcolor: colours.ground, plot_bgcolor: colours.ground,
      font: {family: "system-ui, sans-serif", size: 13, color: colours.text},
      hoverlabel: {bgcolor: colours.band, bordercolor: colours.line, font: {family: "system-ui, sans-serif", color: colours.text}},
    };
    if (layout.margin) result.margin = {...layout.margin, b: layout.margin.b + legend};
    const axes = new Set(["xaxis", "yaxis", ...Object.keys(layout).filter((k) => /^[xy]axis/.test(k))]);
    for (const axis of axes) {
      const own = layout[axis] || {};
      result[axis] = {automargin: true, gridcolor: colours.line, linecolor: colours.line,
                      zerolinecolor: colours.line, ...own};
      if (own.title) result[axis].title = {standoff: 8, ...own.title};
    }
    return result;
  };
  const draw = (chart) => {
    const place = document.getElementById(chart.name);
    const width = printing ? PAPER : place.clientWidth;
    const legend = legendHeight(chart.data, chart.layout, width);
    place.style.height = `${chart.height + Math.max(0, legend - 40)}px`;
    Plotly.react(place, coloured(chart.data, false),
                 coloured(themed(chart, legend, width), false), CONFIG);
  };
  const drawAll = () => charts.forEach(draw);
  charts.filter((chart) => chart.choices).forEach((chart) => {
    const select = document.getElementById(`${chart.name}-choice`);
    const choose = () => {
      const {traces, note} = chart.choices[Number(select.value)];
      chart.data.forEach((trace, place) => { trace.visible = traces.includes(place); });
      document.getElementById(`${chart.name}-note`).textContent = note;
      draw(chart);
    };
    select.value = "0";
    select.addEventListener("change", choose);
  });
  drawAll();
  addEventListener("themechange", drawAll);
  const root = document.documentElement;
  let chosen;
  addEventListener("beforeprint", () => {
    chosen = root.dataset.theme;
    root.dataset.theme = "light";
    printing = true;
    drawAll();
  });
  addEventListener("afterprint", () => {
    if (chosen === undefined) delete root.dataset.theme; else root.dataset.theme = chosen;
    printing = false;
    drawAll();
  });
  let waiting = 0;
  addEventListener("resize", () => { clearTimeout(waiting); waiting = setTimeout(drawAll, 100); });
})();
"""
"""Draws the charts in the theme's colours, again when theme, width, choice or medium changes."""
