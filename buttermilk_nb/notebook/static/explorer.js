// The explorer's page. Every piece of text is set as textContent: nothing that a record or a model wrote is ever HTML.

function make(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (name === "on") for (const [event, listener] of Object.entries(value)) node.addEventListener(event, listener);
    else if (name === "style") Object.assign(node.style, value);
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  for (const child of children) node.append(child instanceof Node ? child : document.createTextNode(child ?? ""));
  return node;
}

const FILTERS = [
  ["all", "all"],
  ["flagged", "flagged"],
  ["split", "judges disagree"],
  ["problems", "no answer"],
];

function render({ model, el }) {
  // A notebook in command mode would take the keys as commands and cut cells.
  const root = make("div", { class: "bmnb-x", role: "group", "aria-label": model.get("heading"), "data-lm-suppress-shortcuts": "true", on: { keydown: (event) => event.stopPropagation() } });
  const heat = make("div");
  const recordsArea = make("div", { "aria-live": "polite" });
  root.append(heat, recordsArea);
  el.append(root);

  const set = (name, value) => {
    model.set(name, value);
    model.save_changes();
  };
  const choose = (changes) => {
    set("record", "");
    set("cell", { ...model.get("cell"), page: 0, ...changes });
  };
  const isSameCell = (a, b) => ["judge", "model", "criteria_set", "criterion"].every((key) => a[key] === b[key]);

  function drawHeat() {
    const focusedCell = [...heat.querySelectorAll("button")].indexOf(root.getRootNode().activeElement);
    const { criteria = [], rows = [] } = model.get("heat");
    const selectedCell = model.get("cell");
    const hasSeveralSets = new Set(criteria.map((c) => c.criteria_set)).size > 1;
    const head = criteria.map((c) =>
      make("th", {}, c.criterion, hasSeveralSets ? make("div", { class: "quiet", style: { fontWeight: 400 } }, c.criteria_set) : ""),
    );
    const body = rows.map((row) =>
      make(
        "tr",
        {},
        make("td", {}, row.judge, make("span", { class: "quiet" }, " · " + row.model)),
        ...row.cells.map((cell, i) => {
          if (!cell) return make("td");
          const key = { judge: row.judge, model: row.model, ...criteria[i] };
          const label = cell.share !== null ? Math.round(100 * cell.share) + " %" : cell.answered ? "no flag" : "no answer";
          const strength = cell.share === null ? 0 : Math.round(75 * cell.share);
          return make(
            "td",
            { style: { padding: "2px" } },
            make(
              "button",
              {
                class: "cell",
                "aria-pressed": String(isSameCell(selectedCell, key)),
                "aria-label": `${row.judge} · ${row.model}, ${criteria[i].criterion}: ${label}, ${cell.answered} answers`,
                title: `${cell.answered} of ${cell.planned} answered: list the records`,
                style: { background: `color-mix(in srgb, #c2410c ${strength}%, transparent)` },
                on: { click: () => choose({ ...key, only: "all", search: "" }) },
              },
              label,
              make("span", { class: "quiet" }, ` (${cell.answered})`),
            ),
          );
        }),
      ),
    );
    heat.replaceChildren(
      make("h4", {}, model.get("heading"), make("span", { class: "quiet", style: { fontWeight: 400 } }, "  share of flagged answers (number of answers); click a number to list its records")),
      make("table", {}, make("thead", {}, make("tr", {}, make("th", {}, "judge"), ...head)), make("tbody", {}, ...body)),
    );
    if (focusedCell >= 0) heat.querySelectorAll("button")[focusedCell]?.focus({ preventScroll: true });
  }

  function drawRecords() {
    const cell = model.get("cell");
    const { rows, total, page, size } = model.get("records");
    if (!cell.criterion || !rows) return recordsArea.replaceChildren();
    const place = placeInRecords();
    const search = make("input", {
      class: "bmnb-search", type: "search", placeholder: "record id", "aria-label": "filter by record id", value: cell.search ?? "",
      on: { change: (event) => choose({ search: event.target.value }) },
    });
    const bar = make(
      "div",
      { class: "bar" },
      make("b", {}, `${cell.criterion} · ${cell.model}`),
      ...FILTERS.map(([only, label]) =>
        make("button", { "aria-pressed": String((cell.only ?? "all") === only), on: { click: () => choose({ only }) } }, label),
      ),
      search,
      make("span", { class: "quiet" }, `${total} records`),
    );
    if (total > size) {
      const turn = (by) => () => set("cell", { ...model.get("cell"), page: page + by });
      bar.append(
        make("button", { disabled: page === 0, on: { click: turn(-1) } }, "previous"),
        make("button", { disabled: (page + 1) * size >= total, on: { click: turn(1) } }, "next"),
      );
    }
    const openRecord = model.get("record");
    const hasTruth = rows.some((row) => row.truth);
    const list = rows.map((row) =>
      make(
        "tr",
        {
          tabindex: "0",
          "aria-selected": String(row.record_id === openRecord),
          on: {
            click: () => set("record", row.record_id),
            keydown: (event) => {
              if (event.key === "Enter" || event.key === " ") { event.preventDefault(); set("record", row.record_id); }
              if (event.key === "ArrowDown") { event.preventDefault(); event.currentTarget.nextElementSibling?.focus(); }
              if (event.key === "ArrowUp") { event.preventDefault(); event.currentTarget.previousElementSibling?.focus(); }
            },
          },
        },
        make("td", {}, row.record_id, row.split ? make("span", { class: "quiet", title: "the judges disagree" }, " ≠") : ""),
        make("td", { class: row.flagged ? "flag" : "" }, row.answer),
        ...(hasTruth ? [make("td", { class: "quiet" }, row.truth)] : []),
        make("td", { class: "quiet" }, row.uncertainty),
      ),
    );
    const header = ["record", "answer", ...(hasTruth ? ["truth"] : []), "uncertainty"].map((name) => make("th", {}, name));
    const table = make("div", { class: "list" }, make("table", {}, make("thead", {}, make("tr", {}, ...header)), make("tbody", {}, ...list)));
    recordsArea.replaceChildren(bar, make("div", { class: "split" }, table, makeDetail()));
    returnTo(place, JSON.stringify([cell, page]));
  }

  // Everything is drawn anew: what had the focus gets it again, and a list that shows the same records is not scrolled.
  let shownPage = "";
  function placeInRecords() {
    const focused = root.getRootNode().activeElement;
    const index = (items) => [...items].indexOf(focused);
    return {
      scroll: recordsArea.querySelector(".list")?.scrollTop ?? 0,
      row: index(recordsArea.querySelectorAll("tbody tr")),
      button: index(recordsArea.querySelectorAll(".bar button, .bar input")),
    };
  }
  function returnTo({ scroll, row, button }, newPage) {
    if (newPage === shownPage) recordsArea.querySelector(".list").scrollTop = scroll;
    shownPage = newPage;
    const target = row >= 0 ? recordsArea.querySelectorAll("tbody tr")[row] : recordsArea.querySelectorAll(".bar button, .bar input")[button];
    target?.focus({ preventScroll: true });
  }

  function makeDetail() {
    const detail = model.get("detail");
    if (!detail.record_id) return make("div", { class: "quiet" }, "Choose a record to read it next to the judges' reasons.");
    const judges = detail.judges.map((judge) =>
      make(
        "div",
        { class: "judge" + (judge.flagged ? " flagged" : "") },
        make("div", {}, make("b", { class: judge.flagged ? "flag" : "" }, judge.answer), " ", make("span", { class: "quiet" }, judge.judge + (judge.uncertainty ? ` · uncertainty ${judge.uncertainty}` : "") + (judge.note ? ` · ${judge.note}` : ""))),
        make("ul", {}, ...judge.reasons.map((reason) => make("li", {}, reason))),
        make("div", { class: "quiet" }, judge.conclusion),
      ),
    );
    const truth = detail.truth ? `  truth: ${detail.truth}` : "";
    return make(
      "div",
      {},
      make("h4", {}, detail.record_id, make("span", { class: "quiet", style: { fontWeight: 400 } }, truth)),
      make("div", { class: "both" }, make("div", { class: "text", dir: "auto" }, detail.content), make("div", {}, ...judges)),
    );
  }

  const redraw = { "change:heat": drawHeat, "change:cell": drawHeat, "change:records": drawRecords, "change:detail": drawRecords, "change:record": drawRecords };
  for (const [event, draw] of Object.entries(redraw)) model.on(event, draw);
  drawHeat();
  drawRecords();
  return () => { for (const [event, draw] of Object.entries(redraw)) model.off(event, draw); };
}

export default { render };
